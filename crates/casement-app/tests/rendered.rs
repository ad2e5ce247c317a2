//! Rendered documents stay good when something else in the configuration changes, and only then.

use std::sync::Arc;

use casement_app::body;
use casement_app::document::{Numbers, RenderedCache};
use casement_app::sample::{SampleCourse, SampleOrder, configure_sample, run_sample};
use casement_app::workspace::load_config;
use casement_domain::date::Moment;
use casement_domain::list::row::Work;
use casement_domain::workspace::Workspace;

use crate::house::{House, NOW_MS, STREAM};

/// A workspace with a sample in it, and its documents.
async fn sampled() -> (Workspace, Vec<(Work, Numbers)>) {
    let house = House::build().await;
    configure_sample(&house.app, None).await.unwrap();
    let order = SampleOrder { stream: None, cases: 60, seed: 1, until: Moment::from_ms(NOW_MS) };
    run_sample(&house.app, &order, &Arc::new(SampleCourse::default())).await.unwrap();
    let config = load_config(&house.store, &house.app.installation().workspaces[0]).await.unwrap();
    let mut documents = Vec::new();
    for kind in [body::CASE, body::TASK] {
        for document in house.store.scan(STREAM, kind, None, 1_000).await.unwrap() {
            let number = document.number.unwrap();
            let numbers = Numbers { version: document.version, number, case_number: 100 };
            documents.push((body::decode_work(&document).unwrap().unwrap(), numbers));
        }
    }
    (config, documents)
}

fn rendered(config: &Workspace, documents: &[(Work, Numbers)]) -> RenderedCache {
    let cache = RenderedCache::default();
    for (work, numbers) in documents {
        cache.render(work, *numbers, config);
    }
    cache
}

/// Changes one entry of each kind, one at a time.
fn changed(config: &Workspace) -> Vec<Workspace> {
    let mut all = Vec::new();
    let mut change = |apply: &dyn Fn(&mut Workspace)| {
        let mut next = config.clone();
        next.config_version += 1 + all.len() as u64;
        apply(&mut next);
        all.push(next);
    };
    for place in 0..config.statuses.len() {
        change(&|next| next.statuses[place].name.push('!'));
    }
    for place in 0..config.priorities.len() {
        change(&|next| next.priorities[place].color = "#000000".to_owned());
    }
    for place in 0..config.queues.len() {
        change(&|next| next.queues[place].name.push('!'));
    }
    for place in 0..config.fields.len() {
        change(&|next| next.fields[place].tooltip.push('!'));
    }
    for place in 0..config.case_templates.len() {
        change(&|next| next.case_templates[place].name.push('!'));
    }
    for place in 0..config.task_templates.len() {
        change(&|next| next.task_templates[place].name.push('!'));
    }
    for place in 0..config.agents.len().min(8) {
        change(&|next| next.agents[place].image.push('!'));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_after_a_change_is_what_would_be_rendered_anew() {
    let (config, documents) = sampled().await;
    let cache = rendered(&config, &documents);
    for next in changed(&config) {
        // Asked under the changed configuration and under the former one again: neither may see the other's.
        for asked in [&next, &config] {
            let fresh = RenderedCache::default();
            for (work, numbers) in &documents {
                let expected = fresh.render(work, *numbers, asked);
                let kept = cache.kept(work.id(), numbers.version, asked);
                assert!(kept.is_none_or(|kept| kept == expected), "{}", work.id());
                assert_eq!(cache.render(work, *numbers, asked), expected);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_agent_costs_the_documents_that_show_the_agent_and_no_others() {
    let (config, documents) = sampled().await;
    let cache = rendered(&config, &documents);
    let agent = documents.iter().find_map(|(work, _)| work.item().assignment.agent.clone()).unwrap();
    let mut renamed = config.clone();
    renamed.config_version += 1;
    renamed.agents.iter_mut().filter(|entry| entry.id == agent).for_each(|entry| entry.name.push('!'));
    for (work, numbers) in &documents {
        let shows = work.item().participants.iter().any(|participant| participant.agent == agent);
        let kept = cache.kept(work.id(), numbers.version, &renamed);
        assert_eq!(kept.is_none(), shows, "{}", work.id());
    }
}
