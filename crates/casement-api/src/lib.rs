//! HTTP: routes, authentication, OpenAPI.
