//! What many commands at once must not break: numbers, lists of tasks, unique customers and the rules of closing.

use std::sync::Arc;

use casement_wire::spelling::Noun;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use crate::house::{House, id, new_case, new_task, unless_conflict};

/// Runs commands side by side and gives their answers in the order of the commands.
async fn all<F>(commands: impl IntoIterator<Item = F>) -> Vec<Value>
where
    F: Future<Output = Value> + Send + 'static,
{
    let mut running = JoinSet::new();
    for (index, command) in commands.into_iter().enumerate() {
        running.spawn(async move { (index, command.await) });
    }
    let mut answers = running.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn numbers(answers: &[Value], prefix: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = answers
        .iter()
        .map(|answer| answer["refId"].as_str().unwrap().strip_prefix(prefix).unwrap().parse().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cases_made_at_once_are_numbered_from_100_without_gaps() {
    let house = Arc::new(House::build().await);
    let commands = (0..120).map(|index| {
        let house = Arc::clone(&house);
        async move {
            // Every seventh is refused and must take no number.
            let mut body = new_case(&format!("Case {index}"));
            if index % 7 == 0 {
                body["name"] = json!("");
                assert!(house.create_case(body).await.is_err());
                return Value::Null;
            }
            house.create_case(body).await.unwrap()
        }
    });
    let mut made = all(commands).await;
    made.retain(|answer| !answer.is_null());
    let expected: Vec<u64> = (100..100 + made.len() as u64).collect();
    assert_eq!(numbers(&made, "CS"), expected);
    let listed = house.list(Noun::Case, json!({"limit": 500})).await;
    assert_eq!(listed["totalResults"], made.len());
    house.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_made_at_once_are_all_in_their_case() {
    let house = Arc::new(House::build().await);
    let case = house.create_case(new_case("Busy")).await.unwrap();
    let commands = (0..60).map(|index| {
        let (house, case) = (Arc::clone(&house), case.clone());
        async move {
            if index % 3 == 0 {
                let update = json!({"tags": [format!("tag {index}")]});
                house.update_case(id(&case), update).await.unwrap();
                return Value::Null;
            }
            house.create_task(new_task(&case)).await.unwrap()
        }
    });
    let mut made = all(commands).await;
    made.retain(|answer| !answer.is_null());
    assert_eq!(numbers(&made, "TS"), (100..140).collect::<Vec<u64>>());
    let listed = house.list(Noun::Case, json!({})).await;
    let mut ids: Vec<&str> =
        listed["results"][0]["taskIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let mut expected: Vec<(&str, &str)> =
        made.iter().map(|task| (task["refId"].as_str().unwrap(), id(task))).collect();
    expected.sort_unstable();
    let expected: Vec<&str> = expected.into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids, expected, "in the order of their making");
    ids.dedup();
    assert_eq!(ids.len(), 40);
    house.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn creates_at_once_with_one_new_address_make_one_customer() {
    let house = Arc::new(House::build().await);
    for round in 0..5 {
        let commands = (0..24).map(|index: u32| {
            let house = Arc::clone(&house);
            async move {
                let mut body = new_case("Same customer");
                let address = format!("John{round}@example.com");
                let address = if index.is_multiple_of(2) { address.to_uppercase() } else { address };
                body["userInfo"] = match index % 3 {
                    0 => json!({"emailId": address}),
                    1 => json!({"emailId": address, "name": "John"}),
                    _ => json!({"emailId": address, "phoneNumber": format!("555-{round}")}),
                };
                house.create_case(body).await.unwrap()
            }
        });
        let made = all(commands).await;
        let first = &made[0]["userInfo"]["_id"];
        assert!(made.iter().all(|case| case["userInfo"]["_id"] == *first));
        let customers = house.stored("customer").await;
        assert_eq!(customers.len(), round + 1);
        let (_, _, profile) = customers.iter().find(|(id, _, _)| first == id).unwrap();
        assert_eq!((&profile["name"], &profile["phone"]), (&json!("John"), &json!(format!("555-{round}"))));
    }
    house.verify().await;
}

/// A small generator of choices (xorshift), so that a failing round can be repeated.
struct Choices(u64);

impl Choices {
    fn next(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % count as u64).unwrap()
    }
}

/// One command of a round, on the case or on one of its tasks.
async fn act(house: &House, case: Value, task: String, choice: usize) -> Value {
    let status = |name: &str| json!({"status": {"name": name}});
    let outcome = match choice {
        0 | 1 => house.update_case(id(&case), status("Closed")).await,
        2 => house.update_case(id(&case), status("Open")).await,
        3 => house.create_task(new_task(&case)).await,
        4 | 5 => house.update_task(&task, status("Resolved")).await,
        6 => house.update_task(&task, status("In-Progress")).await,
        7 => house.update_task(&task, json!({"isActive": false})).await,
        8 => house.update_task(&task, json!({"isActive": true})).await,
        9 => house.update_case(id(&case), json!({"isActive": false})).await,
        10 => house.update_case(id(&case), json!({"isActive": true})).await,
        _ => house.update_task(&task, json!({"isActive": true, "status": "Open"})).await,
    };
    unless_conflict(outcome).unwrap_or_default()
}

fn check_closing(
    case: &(String, u64, Map<String, Value>),
    tasks: &[(String, u64, Map<String, Value>)],
    over: &[Value],
) {
    let own: Vec<_> = tasks.iter().filter(|(_, _, task)| task["case"] == case.0).collect();
    let active: Vec<&str> =
        own.iter().filter(|(_, _, task)| task["active"] == true).map(|(id, _, _)| id.as_str()).collect();
    let mut listed: Vec<&str> =
        case.2["tasks"].as_array().unwrap().iter().map(|task| task.as_str().unwrap()).collect();
    listed.sort_unstable();
    assert_eq!(listed, active, "the case lists its active tasks");
    if case.2["status"] == over[1] {
        for (_, _, task) in own.iter().filter(|(_, _, task)| task["active"] == true) {
            assert!(over.contains(&task["status"]), "a closed case has an open task");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_case_never_has_an_open_task_whatever_races() {
    let house = Arc::new(House::build().await);
    let resolved = house.stored("status").await;
    let status = |name: &str| {
        let found = resolved.iter().find(|(_, _, status)| status["name"] == name);
        json!(found.unwrap().0)
    };
    let over = [status("Resolved"), status("Closed")];
    let mut choices = Choices(0x9e37_79b9_7f4a_7c15);
    let mut closed_rounds = 0;
    for round in 0..60 {
        let case = house.create_case(new_case(&format!("Round {round}"))).await.unwrap();
        let mut tasks = Vec::new();
        for _ in 0..2 {
            tasks.push(id(&house.create_task(new_task(&case)).await.unwrap()).to_owned());
        }
        if choices.next(2) == 0 {
            house.update_task(&tasks[0], json!({"status": "Closed"})).await.unwrap();
            house.update_task(&tasks[1], json!({"status": "Resolved"})).await.unwrap();
        }
        for _ in 0..4 {
            let commands: Vec<_> = (0..5)
                .map(|_| {
                    let task = tasks[choices.next(tasks.len())].clone();
                    let (house, case, choice) = (Arc::clone(&house), case.clone(), choices.next(12));
                    async move { act(&house, case, task, choice).await }
                })
                .collect();
            let answers = all(commands).await;
            let made = answers.iter().filter(|answer| answer["conversationType"] == "TASK");
            tasks.extend(made.map(|task| id(task).to_owned()));
            tasks.sort_unstable();
            tasks.dedup();
            let stored = house.stored("case").await;
            let own = stored.iter().find(|(own, _, _)| own == id(&case)).unwrap();
            check_closing(own, &house.stored("task").await, &over);
            closed_rounds += u32::from(own.2["status"] == over[1]);
        }
    }
    assert!(closed_rounds > 10, "the rounds must close cases to say anything: {closed_rounds}");
    house.verify().await;
}
