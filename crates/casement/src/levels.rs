//! The setting `log`: a level, or levels by module. The library that filters takes any word for the name of a module, and a
//! slip of the pen would silence everything; here it is refused.

use tracing_subscriber::filter::LevelFilter;

/// The crates whose lines have levels of their own: ours, and libraries that speak at `info` or above.
const MODULES: [&str; 14] = [
    "casement",
    "casement_api",
    "casement_app",
    "casement_domain",
    "casement_index",
    "casement_store",
    "h2",
    "hyper",
    "hyper_util",
    "instant_acme",
    "object_store",
    "opentelemetry_otlp",
    "opentelemetry_sdk",
    "rustls",
];

/// Takes a filter that names levels and known modules alone.
///
/// # Errors
/// All faults, in one sentence each.
pub fn read(filter: &str) -> Result<String, String> {
    let faults: Vec<String> = filter.split(',').filter_map(|part| fault(part.trim())).collect();
    if faults.is_empty() { Ok(filter.to_owned()) } else { Err(faults.join("; ")) }
}

fn fault(part: &str) -> Option<String> {
    let Some((module, level)) = part.split_once('=') else {
        return (!is_level(part))
            .then(|| format!("{part:?} is no level: error, warn, info, debug, trace or off (casement_api=debug for one module)"));
    };
    if !is_level(level) {
        return Some(format!("{level:?} of {module} is no level: error, warn, info, debug, trace or off"));
    }
    let name = module.split("::").next().unwrap_or_default();
    (!MODULES.contains(&name)
        || !module.chars().all(|character| character.is_ascii_alphanumeric() || "_:".contains(character)))
    .then(|| format!("{module:?} is no module: {}, or a library's name", of_ours().join(", ")))
}

fn of_ours() -> Vec<&'static str> {
    MODULES.into_iter().filter(|name| name.starts_with("casement")).collect()
}

fn is_level(text: &str) -> bool {
    !text.is_empty() && text.parse::<LevelFilter>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_and_levels_of_known_modules_are_taken() {
        for filter in
            ["info", "WARN", "off", "warn,casement_api=debug", "info, casement_app::index=trace", "hyper=off"]
        {
            assert_eq!(read(filter), Ok(filter.to_owned()));
        }
    }

    #[test]
    fn a_word_that_is_no_level_and_a_module_that_is_not_there_are_refused_each() {
        for filter in [
            "warning",
            "",
            "casement_api",
            "x=y=z",
            "info,",
            "casement_api=loud",
            "[request]=info",
            "casement_ap=info",
        ] {
            assert!(read(filter).is_err(), "{filter}");
        }
        let said = read("warning,casment=info,casement=all").unwrap_err();
        for part in ["\"warning\"", "\"casment\"", "\"all\""] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
