//! The figures: rates, percentiles, the combined limit, and the JSON line.

use std::time::Duration;

use serde_json::json;

use super::load::Turn;
use super::requests::Job;

/// So many things in so much time, over all turns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rate {
    done: u64,
    time: Duration,
}

impl Rate {
    /// Adds a turn.
    pub fn add(&mut self, done: u64, time: Duration) {
        self.done += done;
        self.time += time;
    }

    /// How many per second; 0 before the first turn.
    pub fn per_s(self) -> f64 {
        if self.time.is_zero() { 0.0 } else { self.done as f64 / self.time.as_secs_f64() }
    }
}

/// Answered requests with their times, over all turns.
#[derive(Debug, Default)]
pub struct Answers {
    rate: Rate,
    latencies_us: Vec<u32>,
    inside_us: Vec<u32>,
}

impl Answers {
    /// Adds a turn.
    pub fn add(&mut self, turn: Turn) {
        self.rate.add(turn.latencies_us.len() as u64, turn.time);
        self.latencies_us.extend(turn.latencies_us);
        self.inside_us.extend(turn.inside_us);
    }

    /// How many per second.
    pub fn per_s(&self) -> f64 {
        self.rate.per_s()
    }

    /// The times over HTTP in microseconds, the shortest first.
    pub fn sorted_us(&self) -> Vec<u32> {
        sorted(&self.latencies_us)
    }

    /// The times that the server told, in microseconds, the shortest first; none where it tells nothing.
    pub fn sorted_inside_us(&self) -> Vec<u32> {
        sorted(&self.inside_us)
    }
}

/// A whole measurement.
#[derive(Debug)]
pub struct Measured {
    job: Job,
    cases: u64,
    clients: usize,
    /// The server.
    pub ours: Answers,
    /// The static responder.
    pub responder: Answers,
    /// The same rows through SQLite.
    pub raw_writer: Rate,
}

impl Measured {
    /// A measurement without figures yet.
    pub fn new(job: Job, cases: u64, clients: usize) -> Self {
        Self {
            job,
            cases,
            clients,
            ours: Answers::default(),
            responder: Answers::default(),
            raw_writer: Rate::default(),
        }
    }

    /// What the machine allows: the responder's rate combined with that of the rows alone.
    fn limit_per_s(&self) -> f64 {
        combined(self.responder.rate.per_s(), self.raw_writer.per_s())
    }

    /// The line for programs.
    pub fn line(&self) -> String {
        let (ours, limit) = (self.ours.rate.per_s(), self.limit_per_s());
        let latencies_us = self.ours.sorted_us();
        json!({
            "bench": self.job.name(),
            "cases": self.cases,
            "clients": self.clients,
            "ours_per_s": ours.round(),
            "p50_ms": f64::from(percentile(&latencies_us, 50)) / 1000.0,
            "p99_ms": f64::from(percentile(&latencies_us, 99)) / 1000.0,
            "limit_per_s": limit.round(),
            "ratio": if limit > 0.0 { (ours / limit * 1000.0).round() / 1000.0 } else { 0.0 },
        })
        .to_string()
    }

    /// The parts of the limit, for people.
    pub fn explained(&self) -> String {
        let http = self.responder.rate.per_s();
        let rows = self.raw_writer.per_s();
        format!("  limits: static responder {http:.0}/s, the same rows through the database {rows:.0}/s")
    }
}

/// The rate of doing one thing after the other, each at its own rate.
fn combined(first_per_s: f64, second_per_s: f64) -> f64 {
    if first_per_s <= 0.0 || second_per_s <= 0.0 {
        return 0.0;
    }
    1.0 / (1.0 / first_per_s + 1.0 / second_per_s)
}

fn sorted(samples: &[u32]) -> Vec<u32> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted
}

/// The smallest sample that so many percent of all samples don't exceed; 0 without samples.
pub fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let samples: Vec<u32> = (1..=200).collect();
        assert_eq!(percentile(&samples, 50), 100);
        assert_eq!(percentile(&samples, 99), 198);
        assert_eq!(percentile(&[7], 99), 7);
        assert_eq!(percentile(&[], 50), 0);
    }

    #[test]
    fn two_steps_of_equal_rate_combine_to_half() {
        assert!((combined(1000.0, 1000.0) - 500.0).abs() < 1e-9);
        assert!(combined(0.0, 5.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_line_has_the_promised_keys_and_the_ratio() {
        let mut measured = Measured::new(Job::Create, 10, 2);
        let turn = |answers: usize| Turn {
            time: Duration::from_secs(1),
            latencies_us: vec![2000; answers],
            inside_us: Vec::new(),
        };
        measured.ours.add(turn(100));
        measured.responder.add(turn(400));
        measured.raw_writer.add(400, Duration::from_secs(1));
        let line: serde_json::Value = serde_json::from_str(&measured.line()).unwrap();
        let expected = json!({
            "bench": "create", "cases": 10, "clients": 2, "ours_per_s": 100.0, "p50_ms": 2.0, "p99_ms": 2.0,
            "limit_per_s": 200.0, "ratio": 0.5,
        });
        assert_eq!(line, expected);
    }
}
