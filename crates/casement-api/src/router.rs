//! The router: every route once, for the requests and for the API's description.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use casement_app::app::App;
use casement_wire::error::ErrorKind;
use casement_wire::schema::bounds;
use serde_json::Value;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::RefOr;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Refusal, no_method, no_route};
use crate::api::{Api, ApiOptions};
use crate::routes::{attachment, case, comment, feedback, health, response, task};
use crate::{compression, explorer, gate, metrics_page, unsent};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Casement",
        description = "The case management API: create, list and update cases and tasks.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Tokens),
    tags(
        (name = "cases", description = "What customers ask for, and the work on it."),
        (name = "tasks", description = "Parts of the work on a case."),
        (name = "attachments", description = "Files on a case."),
        (name = "comments", description = "Notes and replies on a case, and the standard responses that they come from."),
        (name = "feedback", description = "What customers say of a case, by a link that serves once."),
        (name = "server", description = "How the server is.")
    )
)]
struct Description;

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        components.add_security_scheme(
            "auth",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "auth",
                "A JWT signed by an app of the account, without a scheme before it.",
            ))),
        );
        components.add_security_scheme(
            "bearer",
            SecurityScheme::Http(
                HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build(),
            ),
        );
    }
}

/// The operations whose body may be empty.
const OPTIONAL_BODIES: [&str; 6] =
    ["getCases", "getTasks", "searchCases", "searchTasks", "countCases", "countTasks"];

fn described() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(case::create::create_case))
        .routes(routes!(case::list::get_cases))
        .routes(routes!(case::update::update_case))
        .routes(routes!(task::create::create_task))
        .routes(routes!(task::list::get_tasks))
        .routes(routes!(task::update::update_task))
        .routes(routes!(case::search::search_cases))
        .routes(routes!(case::count::count_cases))
        .routes(routes!(task::search::search_tasks))
        .routes(routes!(task::count::count_tasks))
        .routes(routes!(case::get::get_case, case::patch::patch_case, case::delete::delete_case))
        .routes(routes!(case::page::list_cases, case::post::post_case))
        .routes(routes!(task::page::list_tasks))
        .routes(routes!(task::of_case::list_case_tasks, task::post::post_task))
        .routes(routes!(case::transfer::transfer_case))
        .routes(routes!(case::watchers::list_watchers))
        .routes(routes!(case::watch::watch_case, case::unwatch::unwatch_case))
        .routes(routes!(case::links::list_links))
        .routes(routes!(case::link::link_cases, case::unlink::unlink_cases))
        .routes(routes!(case::merge::merge_cases))
        .routes(routes!(task::transfer::transfer_task))
        .routes(routes!(case::restore::restore_case))
        .routes(routes!(case::purge::purge_case))
        .routes(routes!(case::history::list_case_events))
        .routes(routes!(case::undo::undo_case_event))
        .routes(routes!(case::blame::blame_case))
        .routes(routes!(attachment::list::list_attachments, attachment::upload::upload_attachment))
        .routes(routes!(attachment::get::get_attachment, attachment::delete::delete_attachment))
        .routes(routes!(attachment::content::get_attachment_content))
        .routes(routes!(task::get::get_task, task::patch::patch_task, task::delete::delete_task))
        .routes(routes!(task::restore::restore_task))
        .routes(routes!(task::purge::purge_task))
        .routes(routes!(task::history::list_task_events))
        .routes(routes!(task::undo::undo_task_event))
        .routes(routes!(task::blame::blame_task))
        .routes(routes!(task::plan::get_task_plan, task::plan::plan_task))
        .routes(routes!(case::plan::get_case_plan))
        .routes(routes!(comment::create::create_comment, comment::list::list_comments))
        .routes(routes!(
            comment::get::get_comment,
            comment::patch::patch_comment,
            comment::delete::delete_comment
        ))
        .routes(routes!(comment::split::split_comment))
        .routes(routes!(comment::history::list_comment_events))
        .routes(routes!(response::list::list_standard_responses))
        .routes(routes!(response::render::render_standard_response))
        .routes(routes!(case::resolution::add_resolution_comment))
        .routes(routes!(feedback::make::create_feedback_link, feedback::revoke::revoke_feedback_links))
        .routes(routes!(feedback::get::get_feedback_link, feedback::give::give_feedback))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
}

/// Gives the description of the API as OpenAPI 3.1, in JSON.
pub fn description() -> Value {
    let mut description = described().into_openapi();
    for operation in description.paths.paths.values_mut().filter_map(|path| path.post.as_mut()) {
        let is_optional = operation.operation_id.as_deref().is_some_and(|id| OPTIONAL_BODIES.contains(&id));
        if let Some(RefOr::T(body)) = operation.request_body.as_mut().filter(|_| is_optional) {
            body.required = None;
        }
    }
    let mut description = serde_json::to_value(description).expect("invariant: a description is always JSON");
    bounds::complete(&mut description);
    description
}

/// Makes the router of an application, with the default options.
pub fn router(app: Arc<App>) -> Router {
    router_of(Api::new(app, &ApiOptions::default()))
}

/// Makes the router of an API.
pub fn router_of(api: Api) -> Router {
    let (router, _) = described().split_for_parts();
    let router = router.merge(explorer::routes());
    let router = match api.metrics.clone() {
        Some(metrics) => router.merge(metrics_page::local_route(metrics)),
        None => router,
    };
    router
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(answer_panic))
        // Below the compression, which makes an answer's bytes as its client takes them: their number is not known above.
        .layer(from_fn_with_state(api.clone(), unsent::follow))
        .layer(compression::layer())
        .layer(from_fn_with_state(api.clone(), gate::pass))
        .with_state(api)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
pub(crate) fn answer_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let cause = format!("a handler panicked: {}", message.unwrap_or("unknown"));
    Refusal::new(ErrorKind::Internal, "the server failed; the log says why", None)
        .because(cause)
        .into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn a_panic_is_a_500_that_tells_nothing() {
        let response = answer_panic(Box::new("the secret of the house"));
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let cause = response.extensions().get::<crate::answer::Cause>().unwrap();
        assert!(cause.0.contains("the secret of the house"));
    }
}
