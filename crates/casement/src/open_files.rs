//! How many files the process may have open: each connection is one.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit as far as the system lets this process, and gives it; `None`: there is none. Most systems begin with 1024
/// for the sake of old programs and allow hundreds of thousands.
pub fn raise() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }
    limit.current = limit.maximum;
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files can't be raised");
            getrlimit(Resource::Nofile).current
        }
    }
}

/// Gives what [`raise`] can reach; `None`: there is no limit.
pub fn most() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_the_system_allows() {
        assert_eq!(raise(), most());
        assert_eq!(getrlimit(Resource::Nofile).current, most());
    }
}
