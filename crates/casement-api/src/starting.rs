//! What is answered while the database can't be reached yet: that the server runs, and why it does not serve.
//!
//! A server whose data lies on a database server listens before it has reached it, so that whoever watches it learns the
//! reason. Once the application is there, its router has every request.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use axum::body::Body;
use axum::extract::{self, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use casement_wire::error::ErrorKind;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tower::ServiceExt;

use crate::answer::Refusal;
use crate::gate::add_fixed;
use crate::routes::health::{Health, Readiness};
use crate::server::{self, ServerOptions};

/// A server that waits for its database. Clones share it.
#[derive(Debug, Clone, Default)]
struct Starting {
    reason: Arc<RwLock<String>>,
    router: Arc<OnceLock<Router>>,
}

impl Starting {
    /// Says in a sentence why the server does not serve yet.
    fn set_reason(&self, reason: String) {
        *self.reason.write().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    /// Hands all requests to the application's router from here on.
    fn set_router(&self, router: Router) {
        // Set once: there is one application.
        let _ = self.router.set(router);
    }

    fn reason(&self) -> String {
        self.reason.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Makes the router that answers until there is another.
fn waiting(starting: Starting) -> Router {
    Router::new().fallback(pass).with_state(starting)
}

async fn pass(extract::State(starting): extract::State<Starting>, request: Request) -> Response {
    match starting.router.get() {
        Some(router) => router.clone().oneshot(request).await.into_response(),
        None => {
            let mut response = answer(&starting, &request);
            add_fixed(response.headers_mut());
            response
        }
    }
}

fn answer(starting: &Starting, request: &Request<Body>) -> Response {
    match request.uri().path() {
        "/healthz" => Json(Health::running()).into_response(),
        "/readyz" => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(Readiness::of_start(starting.reason()))).into_response()
        }
        _ => {
            let detail = "the server waits for its database; try again later";
            Refusal::new(ErrorKind::Unavailable, detail, None).into_response()
        }
    }
}

/// A listener until there is an application.
#[derive(Debug)]
pub struct Front {
    state: State,
    stopped: watch::Receiver<bool>,
}

#[derive(Debug)]
enum State {
    /// Clients wait: there was no need to tell them anything yet.
    Listening(TcpListener, Box<ServerOptions>),
    /// Clients are told why there is no application.
    Telling(Starting, JoinHandle<()>),
}

impl Front {
    /// Takes a listener.
    pub fn new(listener: TcpListener, options: ServerOptions, stopped: watch::Receiver<bool>) -> Self {
        Self { state: State::Listening(listener, Box::new(options)), stopped }
    }

    /// Serves requests from here on.
    pub fn serve(self, router: Router) -> JoinHandle<()> {
        match self.state {
            State::Listening(listener, options) => {
                tokio::spawn(server::serve(listener, router, *options, until(self.stopped)))
            }
            State::Telling(starting, serving) => {
                starting.set_router(router);
                serving
            }
        }
    }

    /// Says why there is no application yet, to whoever asks.
    pub fn tell(self, reason: String) -> Self {
        let stopped = self.stopped.clone();
        let (starting, serving) = match self.state {
            State::Listening(listener, options) => {
                let starting = Starting::default();
                let router = waiting(starting.clone());
                let serving = server::serve(listener, router, *options, until(self.stopped));
                (starting, tokio::spawn(serving))
            }
            State::Telling(starting, serving) => (starting, serving),
        };
        starting.set_reason(reason);
        Self { state: State::Telling(starting, serving), stopped }
    }

    /// Waits until what was served has ended.
    ///
    /// # Errors
    /// The accept loop ended early.
    pub async fn end(self) -> Result<(), JoinError> {
        match self.state {
            State::Telling(_, serving) => serving.await,
            State::Listening(..) => Ok(()),
        }
    }
}

/// Waits until the server is told to stop.
pub async fn until(mut stopped: watch::Receiver<bool>) {
    // An error says that the sender is gone, which also means: stop.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::header;
    use axum::routing::get;

    use super::*;

    async fn asked(router: &Router, path: &str) -> (StatusCode, bool, String) {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let (status, again) = (response.status(), response.headers().contains_key(header::RETRY_AFTER));
        let has_fixed = response.headers().contains_key("cross-origin-resource-policy");
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert_ne!(
            has_fixed,
            &body[..] == b"served",
            "what is said in the place of the application has the fixed headers"
        );
        (status, again, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_server_without_its_database_says_why_until_it_has_it() {
        let starting = Starting::default();
        starting.set_reason("no route to the database".to_owned());
        let router = waiting(starting.clone());
        assert_eq!(asked(&router, "/healthz").await.0, StatusCode::OK);
        let (status, _, body) = asked(&router, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("no route to the database"), "{body}");
        let (status, again, body) = asked(&router, "/anything").await;
        assert_eq!((status, again), (StatusCode::SERVICE_UNAVAILABLE, true));
        assert!(!body.contains("no route"), "only /readyz tells the reason: {body}");
        starting.set_router(Router::new().route("/anything", get(async || "served")));
        assert_eq!(asked(&router, "/anything").await, (StatusCode::OK, false, "served".to_owned()));
    }
}
