//! The rate of requests per app, and the headers that tell a client how much it has left.

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::limits;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// How many requests an app may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once after a rest.
    pub burst: NonZeroU32,
}

impl Default for Rate {
    fn default() -> Self {
        Self { per_second: limits::RATE_PER_SECOND, burst: limits::RATE_BURST }
    }
}

/// What an app has left after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    limit: u32,
    remaining: u32,
    /// Until the app may send all of `limit` again.
    reset: Duration,
    /// How long to wait; `None`: the request is within the rate.
    pub wait: Option<Duration>,
}

/// Where the allowance of a request is noted, for its answer's headers.
pub type Noted = Arc<OnceLock<Allowance>>;

/// The apps' rates. Only apps that signed a token have an entry, so there are no more of them than apps.
#[derive(Debug)]
pub struct Rates {
    rate: Rate,
    limiter: RateLimiter<String, DashMapStateStore<String>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
}

impl Rates {
    /// Counts requests from now on.
    pub fn new(rate: Rate) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        let limiter = RateLimiter::dashmap(quota).with_middleware();
        Self { rate, limiter, clock: DefaultClock::default() }
    }

    /// Counts a request of an app.
    pub fn count(&self, client_id: &str) -> Allowance {
        let limit = self.rate.burst.get();
        match self.limiter.check_key(&client_id.to_owned()) {
            Ok(left) => {
                let remaining = left.remaining_burst_capacity().min(limit);
                Allowance { limit, remaining, reset: self.time_for(limit - remaining), wait: None }
            }
            Err(refused) => {
                let wait = refused.wait_time_from(self.clock.now());
                Allowance { limit, remaining: 0, reset: self.time_for(limit), wait: Some(wait) }
            }
        }
    }

    /// How many are counted apart.
    pub fn counted(&self) -> usize {
        self.limiter.len()
    }

    /// Forgets those that may send all of their burst again.
    pub fn forget_resting(&self) {
        self.limiter.retain_recent();
    }

    /// How long so many requests take to come back.
    fn time_for(&self, requests: u32) -> Duration {
        Duration::from_secs(1) * requests / self.rate.per_second.get()
    }
}

impl Allowance {
    /// Writes the headers that tell it.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RESET, HeaderValue::from(seconds(self.reset)));
    }
}

/// Whole seconds, rounded up: whoever waits so long is not refused again for having come early.
pub fn seconds(time: Duration) -> u32 {
    let whole = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    whole.saturating_add(u32::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(per_second: u32, burst: u32) -> Rates {
        let number = |number| NonZeroU32::new(number).unwrap();
        Rates::new(Rate { per_second: number(per_second), burst: number(burst) })
    }

    #[test]
    fn a_burst_passes_and_the_next_request_waits() {
        let rates = rates(1, 3);
        let left: Vec<u32> = (0..3).map(|_| rates.count("cs-1").remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        let refused = rates.count("cs-1");
        assert!(refused.wait.is_some_and(|wait| wait <= Duration::from_secs(1)));
        assert_eq!((refused.remaining, seconds(refused.reset)), (0, 3));
    }

    #[test]
    fn each_app_has_a_rate_of_its_own() {
        let rates = rates(1, 1);
        assert_eq!(rates.count("cs-1").wait, None);
        assert!(rates.count("cs-1").wait.is_some());
        assert_eq!(rates.count("cs-2").wait, None);
    }

    #[test]
    fn waiting_times_are_rounded_up() {
        assert_eq!(seconds(Duration::ZERO), 0);
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_secs(2)), 2);
    }
}
