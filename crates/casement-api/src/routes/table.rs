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

/// Every route.
pub const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/caseManagement/api/public/analytics/{streamId}/createCase",
        operation: "createCase",
        permission: Permission::App,
    },
    Route {
        method: "POST",
        path: "/caseManagement/api/public/analytics/{streamId}/getCases",
        operation: "getCases",
        permission: Permission::AppWithAccount,
    },
    Route {
        method: "POST",
        path: "/caseManagement/api/public/analytics/{streamId}/updateCase/{caseId}",
        operation: "updateCase",
        permission: Permission::AppWithAccount,
    },
    Route {
        method: "POST",
        path: "/caseManagement/api/public/analytics/{streamId}/createTask",
        operation: "createTask",
        permission: Permission::App,
    },
    Route {
        method: "POST",
        path: "/caseManagement/api/public/analytics/{streamId}/getTasks",
        operation: "getTasks",
        permission: Permission::AppWithAccount,
    },
    Route {
        method: "POST",
        path: "/caseManagement/api/public/analytics/{streamId}/updateTask/{taskId}",
        operation: "updateTask",
        permission: Permission::AppWithAccount,
    },
    Route {
        method: "POST",
        path: "/api/v1/streams/{streamId}/cases/search",
        operation: "searchCases",
        permission: Permission::App,
    },
    Route {
        method: "POST",
        path: "/api/v1/streams/{streamId}/cases/count",
        operation: "countCases",
        permission: Permission::App,
    },
    Route {
        method: "POST",
        path: "/api/v1/streams/{streamId}/tasks/search",
        operation: "searchTasks",
        permission: Permission::App,
    },
    Route {
        method: "POST",
        path: "/api/v1/streams/{streamId}/tasks/count",
        operation: "countTasks",
        permission: Permission::App,
    },
    Route {
        method: "GET",
        path: "/api/v1/streams/{streamId}/cases/{caseId}",
        operation: "getCase",
        permission: Permission::App,
    },
    Route {
        method: "PATCH",
        path: "/api/v1/streams/{streamId}/cases/{caseId}",
        operation: "patchCase",
        permission: Permission::App,
    },
    Route {
        method: "DELETE",
        path: "/api/v1/streams/{streamId}/cases/{caseId}",
        operation: "deleteCase",
        permission: Permission::App,
    },
    Route {
        method: "POST",
        path: "/api/v1/streams/{streamId}/cases/{caseId}/restore",
        operation: "restoreCase",
        permission: Permission::App,
    },
    Route {
        method: "GET",
        path: "/api/v1/streams/{streamId}/cases/{caseId}/events",
        operation: "listCaseEvents",
        permission: Permission::App,
    },
    Route {
        method: "GET",
        path: "/api/v1/streams/{streamId}/tasks/{taskId}",
        operation: "getTask",
        permission: Permission::App,
    },
    Route {
        method: "PATCH",
        path: "/api/v1/streams/{streamId}/tasks/{taskId}",
        operation: "patchTask",
        permission: Permission::App,
    },
    Route {
        method: "DELETE",
        path: "/api/v1/streams/{streamId}/tasks/{taskId}",
        operation: "deleteTask",
        permission: Permission::App,
    },
    Route {
        method: "POST",
        path: "/api/v1/streams/{streamId}/tasks/{taskId}/restore",
        operation: "restoreTask",
        permission: Permission::App,
    },
    Route {
        method: "GET",
        path: "/api/v1/streams/{streamId}/tasks/{taskId}/events",
        operation: "listTaskEvents",
        permission: Permission::App,
    },
    Route {
        method: "POST",
        path: "/api/v1/streams/{streamId}/cases/{caseId}/comments",
        operation: "createComment",
        permission: Permission::App,
    },
    Route {
        method: "GET",
        path: "/api/v1/streams/{streamId}/cases/{caseId}/comments",
        operation: "listComments",
        permission: Permission::App,
    },
    Route {
        method: "GET",
        path: "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}",
        operation: "getComment",
        permission: Permission::App,
    },
    Route {
        method: "PATCH",
        path: "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}",
        operation: "patchComment",
        permission: Permission::App,
    },
    Route {
        method: "DELETE",
        path: "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}",
        operation: "deleteComment",
        permission: Permission::App,
    },
    Route {
        method: "GET",
        path: "/api/v1/streams/{streamId}/cases/{caseId}/comments/{commentId}/events",
        operation: "listCommentEvents",
        permission: Permission::App,
    },
    Route {
        method: "GET",
        path: "/api/v1/streams/{streamId}/standard-responses",
        operation: "listStandardResponses",
        permission: Permission::App,
    },
    Route {
        method: "POST",
        path: "/api/v1/streams/{streamId}/cases/{caseId}/standard-responses/{responseId}/render",
        operation: "renderStandardResponse",
        permission: Permission::App,
    },
    Route { method: "GET", path: "/healthz", operation: "healthz", permission: Permission::Public },
    Route { method: "GET", path: "/readyz", operation: "readyz", permission: Permission::Public },
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
