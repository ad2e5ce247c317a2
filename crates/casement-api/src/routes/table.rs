//! The table of routes: who may call each. A test holds it against the router, so that no route is left out.

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Anybody.
    Public,
    /// An app with the scope for the stream of the path; the header `AccountId` is required.
    AppWithAccount,
    /// As above; the header may be absent.
    App,
}

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method in upper case.
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// The operation's name in the API's description.
    pub operation: &'static str,
    /// Who may call it.
    pub permission: Permission,
}

/// A route for apps.
const fn app(method: &'static str, path: &'static str, operation: &'static str) -> Route {
    Route { method, path, operation, permission: Permission::App }
}

/// A route for apps that name the account.
const fn with_account(method: &'static str, path: &'static str, operation: &'static str) -> Route {
    Route { method, path, operation, permission: Permission::AppWithAccount }
}

/// A route for anybody.
const fn public(method: &'static str, path: &'static str, operation: &'static str) -> Route {
    Route { method, path, operation, permission: Permission::Public }
}

/// Every route.
pub const ROUTES: &[Route] = &[
    app("POST", "/caseManagement/api/public/analytics/{streamId}/createCase", "createCase"),
    with_account("POST", "/caseManagement/api/public/analytics/{streamId}/getCases", "getCases"),
    with_account("POST", "/caseManagement/api/public/analytics/{streamId}/updateCase/{caseId}", "updateCase"),
    app("POST", "/caseManagement/api/public/analytics/{streamId}/createTask", "createTask"),
    with_account("POST", "/caseManagement/api/public/analytics/{streamId}/getTasks", "getTasks"),
    with_account("POST", "/caseManagement/api/public/analytics/{streamId}/updateTask/{taskId}", "updateTask"),
    app("POST", "/api/v1/streams/{streamId}/cases/search", "searchCases"),
    app("POST", "/api/v1/streams/{streamId}/cases/count", "countCases"),
    app("POST", "/api/v1/streams/{streamId}/tasks/search", "searchTasks"),
    app("POST", "/api/v1/streams/{streamId}/tasks/count", "countTasks"),
    app("GET", "/api/v1/streams/{streamId}/cases/{caseId}", "getCase"),
    app("PATCH", "/api/v1/streams/{streamId}/cases/{caseId}", "patchCase"),
    app("DELETE", "/api/v1/streams/{streamId}/cases/{caseId}", "deleteCase"),
    app("POST", "/api/v1/streams/{streamId}/cases/{caseId}/restore", "restoreCase"),
    app("POST", "/api/v1/streams/{streamId}/cases/{caseId}/purge", "purgeCase"),
    app("GET", "/api/v1/streams/{streamId}/cases/{caseId}/events", "listCaseEvents"),
    app("POST", "/api/v1/streams/{streamId}/cases/{caseId}/events/{version}/undo", "undoCaseEvent"),
    app("GET", "/api/v1/streams/{streamId}/cases/{caseId}/blame", "blameCase"),
    app("GET", "/api/v1/streams/{streamId}/tasks/{taskId}", "getTask"),
    app("PATCH", "/api/v1/streams/{streamId}/tasks/{taskId}", "patchTask"),
    app("DELETE", "/api/v1/streams/{streamId}/tasks/{taskId}", "deleteTask"),
    app("POST", "/api/v1/streams/{streamId}/tasks/{taskId}/restore", "restoreTask"),
    app("POST", "/api/v1/streams/{streamId}/tasks/{taskId}/purge", "purgeTask"),
    app("GET", "/api/v1/streams/{streamId}/tasks/{taskId}/events", "listTaskEvents"),
    app("POST", "/api/v1/streams/{streamId}/tasks/{taskId}/events/{version}/undo", "undoTaskEvent"),
    app("GET", "/api/v1/streams/{streamId}/tasks/{taskId}/blame", "blameTask"),
    app("GET", "/api/v1/streams/{streamId}/tasks/{taskId}/plan", "getTaskPlan"),
    app("PATCH", "/api/v1/streams/{streamId}/tasks/{taskId}/plan", "planTask"),
    app("GET", "/api/v1/streams/{streamId}/cases/{caseId}/plan", "getCasePlan"),
    app("GET", "/api/v1/streams/{streamId}/cases", "listCases"),
    app("POST", "/api/v1/streams/{streamId}/cases", "postCase"),
    app("GET", "/api/v1/streams/{streamId}/tasks", "listTasks"),
    app("GET", "/api/v1/streams/{streamId}/cases/{caseId}/tasks", "listCaseTasks"),
    app("POST", "/api/v1/streams/{streamId}/cases/{caseId}/tasks", "postTask"),
    app("POST", "/api/v1/streams/{streamId}/cases/{caseId}/transfer", "transferCase"),
    app("GET", "/api/v1/streams/{streamId}/cases/{caseId}/watchers", "listWatchers"),
    app("PUT", "/api/v1/streams/{streamId}/cases/{caseId}/watchers/{agentId}", "watchCase"),
    app("DELETE", "/api/v1/streams/{streamId}/cases/{caseId}/watchers/{agentId}", "unwatchCase"),
    app("GET", "/api/v1/streams/{streamId}/cases/{caseId}/links", "listLinks"),
    app("PUT", "/api/v1/streams/{streamId}/cases/{caseId}/links/{otherId}", "linkCases"),
    app("DELETE", "/api/v1/streams/{streamId}/cases/{caseId}/links/{otherId}", "unlinkCases"),
    app("POST", "/api/v1/streams/{streamId}/cases/{caseId}/merge", "mergeCases"),
    app("POST", "/api/v1/streams/{streamId}/tasks/{taskId}/transfer", "transferTask"),
    app("GET", "/api/v1/streams/{streamId}/cases/{caseId}/attachments", "listAttachments"),
    app("POST", "/api/v1/streams/{streamId}/cases/{caseId}/attachments", "uploadAttachment"),
    app("GET", "/api/v1/streams/{streamId}/cases/{caseId}/attachments/{attachmentId}", "getAttachment"),
    app("DELETE", "/api/v1/streams/{streamId}/cases/{caseId}/attachments/{attachmentId}", "deleteAttachment"),
    app(
        "GET",
        "/api/v1/streams/{streamId}/cases/{caseId}/attachments/{attachmentId}/content",
        "getAttachmentContent",
    ),
    app("POST", "/api/v1/streams/{streamId}/cases/{caseId}/comments", "createComment"),
    app("GET", "/api/v1/streams/{streamId}/cases/{caseId}/comments", "listComments"),
    app("GET", "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}", "getComment"),
    app("PATCH", "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}", "patchComment"),
    app("DELETE", "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}", "deleteComment"),
    app("POST", "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}/split", "splitComment"),
    app("GET", "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}/events", "listCommentEvents"),
    app("GET", "/api/v1/streams/{streamId}/standard-responses", "listStandardResponses"),
    app(
        "POST",
        "/api/v1/streams/{streamId}/cases/{caseId}/standard-responses/{responseId}/render",
        "renderStandardResponse",
    ),
    app("POST", "/api/v1/streams/{streamId}/cases/{caseId}/resolution-comments", "addResolutionComment"),
    app("POST", "/api/v1/streams/{streamId}/cases/{caseId}/feedback-links", "createFeedbackLink"),
    app("DELETE", "/api/v1/streams/{streamId}/cases/{caseId}/feedback-links", "revokeFeedbackLinks"),
    public("GET", "/api/v1/streams/{streamId}/feedback/{token}", "getFeedbackLink"),
    public("POST", "/api/v1/streams/{streamId}/feedback/{token}", "giveFeedback"),
    public("GET", "/healthz", "healthz"),
    public("GET", "/readyz", "readyz"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::router::description;

    #[test]
    fn the_table_has_every_route_and_no_other() {
        let description = description();
        let mut described = BTreeSet::new();
        for (path, methods) in description["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                described.insert((method.to_uppercase(), path.clone(), name.to_owned()));
            }
        }
        let listed: BTreeSet<_> = ROUTES
            .iter()
            .map(|route| (route.method.to_owned(), route.path.to_owned(), route.operation.to_owned()))
            .collect();
        assert_eq!(listed, described);
    }

    #[test]
    fn exactly_the_public_routes_ask_for_no_token() {
        let description = description();
        for route in ROUTES {
            let operation = &description["paths"][route.path][route.method.to_lowercase()];
            let asks = operation.get("security").is_some();
            assert_eq!(asks, route.permission != Permission::Public, "{}", route.operation);
        }
    }
}
