//! Counting cases and tasks by what they have, exactly and at once: for dashboards, and for the numbers beside views.

use std::sync::Arc;

use bytes::Bytes;
use casement_domain::date::{DAY_MS, Moment, Zone};
use casement_domain::limits::GROUP_ENTRIES_MAX;
use casement_domain::list::grouping::Grouping;
use casement_domain::list::order::Order;
use casement_domain::list::query::ListQuery;
use casement_domain::list::resolve::resolve;
use casement_domain::workspace::Workspace;
use casement_index::engine::Engine;
use casement_index::layout::FacetId;
use casement_index::query::{Condition, QueryError, Word};
use casement_wire::search::{CountsDoc, GroupDoc, GroupEntryDoc, grouping_name, write_counts};
use casement_wire::spelling::Noun;

use crate::access::Access;
use crate::app::App;
use crate::error::AppError;
use crate::index::layout::{ASSIGNEE, CHANNEL, CREATED, PRIORITY, QUEUE, STATUS, TAG, TEMPLATE};
use crate::index::question::{Asked, counted};
use crate::list::unanswered;
use crate::turns;

/// Counts what a list would show, by each of the groupings. The page and the order of the query count nothing.
///
/// # Errors
/// The query has faults, or the index is still being built: all of it, or the words that the query asks for.
pub async fn counts(
    app: &App,
    access: &Access,
    noun: Noun,
    query: ListQuery,
    groupings: Vec<Grouping>,
    zone: Zone,
) -> Result<Bytes, AppError> {
    app.check_ready()?;
    let config = access.workspace.config();
    let now = app.sources().now();
    let filter = resolve(&query, &config, &access.actor, zone, now).map_err(AppError::Refused)?;
    let workspace = Arc::clone(&access.workspace);
    let counted = turns::ask(move || {
        let index = workspace.index();
        let order = Order::of(&[], &filter);
        let asked = Asked { noun, filter: &filter, order: &order, config: &config, now };
        let (condition, words) = counted(asked, &index)?;
        let list = Counted { engine: index.of(noun), condition, words, config: &config, zone };
        list.count(&groupings)
    });
    let counted = counted.await?.map_err(unanswered)?;
    Ok(Bytes::from(write_counts(&counted)))
}

/// A list that is counted.
struct Counted<'a> {
    engine: &'a Engine,
    condition: Condition,
    words: Vec<Word>,
    config: &'a Workspace,
    zone: Zone,
}

impl Counted<'_> {
    fn count(&self, groupings: &[Grouping]) -> Result<CountsDoc, QueryError> {
        let total_results = self.engine.count(&self.condition, &self.words)?;
        let groups: Result<Vec<GroupDoc>, QueryError> =
            groupings.iter().map(|grouping| self.group(*grouping)).collect();
        Ok(CountsDoc { total_results, groups: groups? })
    }

    fn group(&self, grouping: Grouping) -> Result<GroupDoc, QueryError> {
        let config = self.config;
        match grouping {
            Grouping::Status => self.by(grouping, STATUS, |id| {
                config
                    .statuses
                    .iter()
                    .find(|status| status.id.as_str() == id)
                    .map(|status| status.name.as_str())
            }),
            Grouping::Priority => self.by(grouping, PRIORITY, |id| {
                let found = config.priorities.iter().find(|priority| priority.id.as_str() == id);
                found.map(|priority| priority.name.as_str())
            }),
            Grouping::Queue => self.by(grouping, QUEUE, |id| {
                config.queues.iter().find(|queue| queue.id.as_str() == id).map(|queue| queue.name.as_str())
            }),
            Grouping::Assignee => self.by(grouping, ASSIGNEE, |id| {
                config.agents.iter().find(|agent| agent.id.as_str() == id).map(|agent| agent.name.as_str())
            }),
            Grouping::Template => self.by(grouping, TEMPLATE, |id| {
                let case = config.case_templates.iter().find(|template| template.id.as_str() == id);
                let task = || config.task_templates.iter().find(|template| template.id.as_str() == id);
                case.map(|template| template.name.as_str())
                    .or_else(|| task().map(|template| template.name.as_str()))
            }),
            Grouping::Channel => self.by_text(grouping, CHANNEL),
            Grouping::Tag => self.by_text(grouping, TAG),
            Grouping::Day => self.by_day(grouping),
        }
    }

    /// Counts by the ids of entries of the configuration.
    fn by<'a>(
        &self,
        grouping: Grouping,
        facet: FacetId,
        name: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<GroupDoc, QueryError> {
        let counted = self.engine.groups(&self.condition, &self.words, facet)?;
        let entries = counted.counts.into_iter().map(|(id, count)| {
            let name = name(&id).unwrap_or_default().to_owned();
            GroupEntryDoc { id: Some(id), name, count }
        });
        Ok(group(grouping, entries.collect(), counted.without))
    }

    fn by_text(&self, grouping: Grouping, facet: FacetId) -> Result<GroupDoc, QueryError> {
        let counted = self.engine.groups(&self.condition, &self.words, facet)?;
        let entries = counted.counts.into_iter().map(|(name, count)| GroupEntryDoc { id: None, name, count });
        Ok(group(grouping, entries.collect(), counted.without))
    }

    fn by_day(&self, grouping: Grouping) -> Result<GroupDoc, QueryError> {
        let days = self.engine.days(&self.condition, &self.words, CREATED, self.zone.ahead_ms())?;
        // Past the limit the earliest days are counted together: who looks at days looks at the last ones.
        let first = days.counts.len().saturating_sub(GROUP_ENTRIES_MAX);
        let (earlier, shown) = days.counts.split_at(first);
        let date = |day: i64| Moment::from_ms(day.saturating_mul(DAY_MS)).utc().date().to_string();
        let entries =
            shown.iter().map(|(day, count)| GroupEntryDoc { id: None, name: date(*day), count: *count });
        let others = earlier.iter().map(|(_, count)| count).sum();
        Ok(GroupDoc { by: grouping_name(grouping), entries: entries.collect(), none: days.without, others })
    }
}

/// Puts the most frequent values first.
fn group(grouping: Grouping, mut entries: Vec<GroupEntryDoc>, none: u64) -> GroupDoc {
    entries.sort_by(|left, right| {
        right
            .count
            .cmp(&left.count)
            .then_with(|| left.name.cmp(&right.name))
            .then_with(|| left.id.cmp(&right.id))
    });
    let kept = entries.len().min(GROUP_ENTRIES_MAX);
    let others = entries.split_off(kept).iter().map(|entry| entry.count).sum();
    GroupDoc { by: grouping_name(grouping), entries, none, others }
}
