//! The clock and the source of random values, handed in by whoever starts the program.

use std::fmt;
use std::sync::Arc;

use casement_domain::date::Moment;

/// Where the time, new ids and salts come from. Tests hand in fixed ones.
#[derive(Clone)]
pub struct Sources {
    now: Arc<dyn Fn() -> Moment + Send + Sync>,
    id: Arc<dyn Fn() -> u128 + Send + Sync>,
    salt: Arc<dyn Fn() -> [u8; 16] + Send + Sync>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sources").finish_non_exhaustive()
    }
}

impl Sources {
    /// Takes a clock, a source of time-ordered unique values and a source of random bytes fit for secrets.
    pub fn new(
        now: impl Fn() -> Moment + Send + Sync + 'static,
        id: impl Fn() -> u128 + Send + Sync + 'static,
        salt: impl Fn() -> [u8; 16] + Send + Sync + 'static,
    ) -> Self {
        Self { now: Arc::new(now), id: Arc::new(id), salt: Arc::new(salt) }
    }

    /// Gives the time.
    pub fn now(&self) -> Moment {
        (self.now)()
    }

    /// Gives unique values without end.
    pub fn ids(&self) -> impl Iterator<Item = u128> + '_ {
        std::iter::repeat_with(|| (self.id)())
    }

    /// Gives 16 random bytes.
    pub fn salt(&self) -> [u8; 16] {
        (self.salt)()
    }

    /// Names an operation.
    pub fn operation(&self) -> [u8; 16] {
        (self.id)().to_be_bytes()
    }
}
