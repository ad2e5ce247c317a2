//! What happens to a case between its making and the end of the sample.

use casement_domain::date::{DAY_MS, Moment};

use crate::configuration::{TASKS, Template};
use crate::dice::Dice;

const HOUR_MS: i64 = 60 * 60 * 1000;
const MINUTE_MS: i64 = 60 * 1000;

/// How many in a thousand cases are written down when all is done, and how many are deleted, never resolved, reopened.
const LOGGED: u64 = 800;
const DELETED: u64 = 10;
const NEVER_RESOLVED: u64 = 60;
const REOPENED: u64 = 20;

/// The shortest and the longest time until a case is due, in hours, from the least to the greatest urgency.
const DUE_HOURS: [(i64, i64); 4] = [(120, 720), (48, 240), (24, 72), (4, 24)];

/// How long work takes beside the time until the due date, in percent: the fastest and the slowest of a share.
const WORK_PERCENT: [(u64, (i64, i64)); 5] =
    [(30, (3, 30)), (40, (30, 80)), (15, (80, 99)), (12, (101, 250)), (3, (250, 800))];

/// Something that happens to a case after its making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The owner takes it.
    Take,
    /// It waits for somebody.
    Wait,
    /// Something about it is corrected.
    Note,
    /// It is resolved, or closed.
    Resolve,
    /// It is taken up again.
    Reopen,
    /// It is deleted.
    Delete,
    /// Its due date has passed.
    Breach,
    /// The task at a place is resolved.
    ResolveTask(usize),
    /// The due date of the task at a place has passed.
    BreachTask(usize),
}

/// The course of one case.
#[derive(Debug)]
pub(crate) struct Life {
    /// Whether it is written down when all is done.
    pub is_logged: bool,
    /// When it is due.
    pub due: Moment,
    /// What happens after its making, in order, all of it before the end of the sample.
    pub steps: Vec<(Moment, Step)>,
}

impl Life {
    /// Makes up the course of a case. `urgency` is 0 to 3.
    pub fn new(created: Moment, until: Moment, urgency: usize, dice: &mut Dice) -> Self {
        let (first, last) = DUE_HOURS.get(urgency).copied().unwrap_or((48, 240));
        let to_due = dice.between(first * 4, last * 4) * HOUR_MS / 4;
        let due = Moment::from_ms((created.ms() + to_due) / (15 * MINUTE_MS) * 15 * MINUTE_MS);
        let mut life = Self { is_logged: dice.hits(LOGGED), due, steps: Vec::new() };
        if life.is_logged {
            if dice.hits(DELETED) {
                life.steps.push((created.plus_ms(dice.between(MINUTE_MS, DAY_MS)), Step::Delete));
            }
        } else {
            life.work(created, to_due, dice);
        }
        life.end(until);
        life
    }

    /// Makes up the work on a case.
    fn work(&mut self, created: Moment, to_due: i64, dice: &mut Dice) {
        let (fastest, slowest) = dice.weighed(&WORK_PERCENT).unwrap_or((30, 80));
        let time = to_due * dice.between(fastest, slowest) / 100;
        let at = |percent: i64| created.plus_ms((time * percent / 100).max(percent));
        if dice.hits(300) {
            self.steps.push((at(10), Step::Take));
        }
        if dice.hits(100) {
            self.steps.push((at(40), Step::Wait));
        }
        if dice.hits(60) {
            self.steps.push((at(60), Step::Note));
        }
        if dice.hits(DELETED) {
            self.steps.push((at(70), Step::Delete));
        } else if !dice.hits(NEVER_RESOLVED) {
            self.steps.push((at(100), Step::Resolve));
            if dice.hits(REOPENED) {
                self.steps.push((at(100).plus_ms(DAY_MS), Step::Reopen));
                self.steps.push((at(100).plus_ms(3 * DAY_MS), Step::Resolve));
            }
        }
        if self.is_open(self.due) {
            self.steps.push((self.due.plus_ms(dice.between(50, 350)), Step::Breach));
        }
        self.steps.sort_by_key(|(at, _)| *at);
    }

    /// Adds the tasks of a template to a course; those of a case that is written down are left as they are made.
    pub fn with_tasks(
        mut self,
        template: &Template,
        created: Moment,
        until: Moment,
        dice: &mut Dice,
    ) -> Self {
        let end = |step: Step| self.steps.iter().find(|(_, other)| *other == step).map(|(at, _)| *at);
        let (resolved, deleted) = (end(Step::Resolve), end(Step::Delete));
        let mut steps = Vec::new();
        for (place, name) in template.tasks.iter().enumerate() {
            let days = TASKS.iter().find(|(known, _)| known == name).and_then(|(_, days)| *days);
            let due = days.map(|days| created.plus_ms(days * DAY_MS));
            let worked = resolved.unwrap_or(until).ms() - created.ms();
            let share = 50 + 10 * i64::try_from(place).unwrap_or_default();
            let done = created.plus_ms((worked / 100 * share).max(share));
            let is_done =
                dice.hits(500) && resolved.is_some() && deleted.is_none_or(|deleted| done < deleted);
            if is_done {
                steps.push((done, Step::ResolveTask(place)));
            }
            if let Some(due) = due.filter(|due| !is_done || done > *due) {
                steps.push((due.plus_ms(dice.between(50, 350)), Step::BreachTask(place)));
            }
        }
        self.steps.extend(steps);
        self.steps.sort_by_key(|(at, _)| *at);
        self.end(until);
        self
    }

    /// Tells whether somebody still has to work on the case at a moment.
    fn is_open(&self, moment: Moment) -> bool {
        let mut is_open = true;
        for (_, step) in self.steps.iter().filter(|(at, _)| *at <= moment) {
            match step {
                Step::Resolve | Step::Delete => is_open = false,
                Step::Reopen => is_open = true,
                Step::Take
                | Step::Wait
                | Step::Note
                | Step::Breach
                | Step::ResolveTask(_)
                | Step::BreachTask(_) => {}
            }
        }
        is_open
    }

    /// Leaves out what has not happened yet.
    fn end(&mut self, until: Moment) {
        self.steps.retain(|(at, _)| *at < until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::TEMPLATES;

    const CREATED: Moment = Moment::from_ms(1_700_000_000_000);

    fn lives(until: Moment) -> Vec<Life> {
        let mut dice = Dice::new(1, 1);
        let mut made = Vec::new();
        for place in 0..4_000 {
            let life = Life::new(CREATED, until, place % 4, &mut dice);
            made.push(life.with_tasks(&TEMPLATES[place % TEMPLATES.len()], CREATED, until, &mut dice));
        }
        made
    }

    #[test]
    fn steps_come_in_order_between_the_making_and_the_end() {
        let until = CREATED.plus_ms(5 * DAY_MS);
        for life in lives(until) {
            assert!(life.steps.is_sorted_by_key(|(at, _)| *at));
            assert!(life.steps.iter().all(|(at, _)| *at > CREATED && *at < until), "{life:?}");
            assert!(life.due > CREATED);
        }
    }

    #[test]
    fn a_case_breaches_exactly_when_it_is_open_at_its_due_date() {
        let until = CREATED.plus_ms(1_000 * DAY_MS);
        let mut breached = 0;
        for life in lives(until).into_iter().filter(|life| !life.is_logged) {
            let breaches = life.steps.iter().filter(|(_, step)| *step == Step::Breach).count();
            assert_eq!(breaches, usize::from(life.is_open(life.due)), "{life:?}");
            breached += breaches;
        }
        assert!(breached > 50, "{breached}");
    }

    #[test]
    fn nothing_happens_to_a_deleted_case_but_deadlines_of_its_tasks() {
        for life in lives(CREATED.plus_ms(1_000 * DAY_MS)) {
            let after = life.steps.iter().skip_while(|(_, step)| *step != Step::Delete).skip(1);
            assert!(after.clone().all(|(_, step)| matches!(step, Step::BreachTask(_))), "{life:?}");
        }
    }
}
