//! What a workspace can be configured with, written as the console will write it: one change of the configuration.

use std::collections::BTreeMap;

use casement_app::configuration::apply::Run;
use casement_app::installation::{INSTALLATION, KIND_APP, SCOPE_CASES};
use casement_app::jwt_app::secret::Secret;
use casement_app::jwt_app::stored;
use casement_app::jwt_app::{Digest, JwtApp, Keys, Rotating};
use casement_app::making::{MadeWorkspace, NewWorkspaceInput};
use casement_app::workspace::kinds;
use casement_domain::actor::NO_AVATAR;
use casement_domain::date::Moment;
use casement_domain::id::{
    AccountId, AgentId, AppId, CaseTemplateId, FieldId, QueueId, StatusId, StreamId, TaskTemplateId, UserId,
};
use casement_domain::workspace::entries::{Agent, Category, Origin, Queue, Status};
use casement_domain::workspace::field::{
    Choices, Field, FieldFormat, FieldOption, FieldRole, FieldSort, Options,
};
use casement_domain::workspace::template::{CaseTemplate, TaskTemplate};
use casement_store::set::{DocumentWrite, EventWrite, WriteSet};
use serde::Serialize;

use super::server::{ACCOUNT, START_MS, STREAM, Server};

/// An app with the scope, signed with HS256.
pub fn jwt_app(client_id: &str, secret: &str, streams: &[&str]) -> JwtApp {
    JwtApp {
        client_id: AppId::from_text(client_id),
        name: format!("App {client_id}"),
        user: UserId::from_text(format!("u-{client_id}")),
        account: AccountId::from_text(ACCOUNT),
        keys: Keys::Hmac(
            Digest::Sha256,
            Rotating::first(Secret::new(secret.to_owned()), Moment::from_ms(START_MS)),
        ),
        scopes: vec![SCOPE_CASES.to_owned()],
        streams: streams.iter().map(|stream| StreamId::from_text(*stream)).collect(),
        requires_expiry: false,
        enforces_jti: false,
        active: true,
    }
}

impl Server {
    /// Registers an app.
    pub async fn register(&self, app: &JwtApp) {
        let sealed = self.app.sealed_jwt_app(app);
        self.write_as(stored::SCHEMA, INSTALLATION, KIND_APP, app.client_id.as_str(), &sealed).await;
    }

    /// Registers an app by its stored body.
    pub async fn register_body(&self, client_id: &str, body: &serde_json::Value) {
        self.write(INSTALLATION, KIND_APP, client_id, body).await;
    }

    /// Makes a further workspace.
    pub async fn another_workspace(&self, account: &str, stream: &str) -> MadeWorkspace {
        let input = NewWorkspaceInput {
            account: Some(account.to_owned()),
            stream: Some(stream.to_owned()),
            organisation: None,
            name: Some("Another".to_owned()),
        };
        self.app.make_workspace(input).await.unwrap()
    }

    /// Adds or changes a case template.
    pub async fn put_case_template(&self, template: &CaseTemplate) {
        self.write(STREAM, kinds::CASE_TEMPLATE, template.id.as_str(), template).await;
    }

    /// Adds a case template like the built-in one.
    pub async fn case_template(&self, name: &str, change: impl FnOnce(&mut CaseTemplate)) -> CaseTemplate {
        let mut template = self.workspace.case_templates[0].clone();
        template.id = CaseTemplateId::from_text(format!("ctm-{name}"));
        name.clone_into(&mut template.name);
        change(&mut template);
        self.put_case_template(&template).await;
        template
    }

    /// Adds a task template like the built-in one.
    pub async fn task_template(&self, name: &str, change: impl FnOnce(&mut TaskTemplate)) -> TaskTemplate {
        let mut template = self.workspace.task_templates[0].clone();
        template.id = TaskTemplateId::from_text(format!("ttm-{name}"));
        name.clone_into(&mut template.name);
        change(&mut template);
        self.write(STREAM, kinds::TASK_TEMPLATE, template.id.as_str(), &template).await;
        template
    }

    /// Adds a custom field to the workspace and to its first templates.
    pub async fn custom_field(&self, name: &str) -> Field {
        self.custom_field_of(name, FieldSort::Input).await
    }

    /// Adds a custom field of a sort, without rules.
    pub async fn custom_field_of(&self, name: &str, sort: FieldSort) -> Field {
        let field = Field {
            id: FieldId::from_text(format!("fd-{name}")),
            name: name.to_owned(),
            key: name.to_lowercase(),
            role: FieldRole::Custom,
            format: FieldFormat::plain(sort),
            description: String::new(),
            placeholder: String::new(),
            tooltip: String::new(),
            read_only: false,
            required: false,
            default: None,
            messages: BTreeMap::new(),
            shown: true,
            enabled: true,
            active: true,
        };
        self.write(STREAM, kinds::FIELD, field.id.as_str(), &field).await;
        field
    }

    /// Adds a custom field that takes some of several options. Templates don't show it by that.
    pub async fn custom_field_of_options(&self, name: &str, options: &[&str]) {
        let mut field = self.custom_field_of(name, FieldSort::MultiSelect).await;
        let option = |name: &&str| FieldOption { name: (*name).to_owned(), active: true };
        let options = Options { options: options.iter().map(option).collect() };
        field.format = FieldFormat::MultiSelect(Choices { options, count_min: None, count_max: None });
        self.write(STREAM, kinds::FIELD, field.id.as_str(), &field).await;
    }

    /// Adds custom fields and lets the built-in templates show them.
    pub async fn custom_fields(&self, names: &[&str]) {
        let fields: Vec<_> = names.iter().map(|name| (*name, FieldSort::Input)).collect();
        self.custom_fields_of(&fields).await;
    }

    /// Adds custom fields of any sorts and lets the built-in templates show them.
    pub async fn custom_fields_of(&self, fields: &[(&str, FieldSort)]) {
        let mut case_template = self.workspace.case_templates[0].clone();
        let mut task_template = self.workspace.task_templates[0].clone();
        for (name, sort) in fields {
            let field = self.custom_field_of(name, *sort).await;
            case_template.fields.push(field.id.clone());
            task_template.fields.push(field.id);
        }
        self.put_case_template(&case_template).await;
        self.write(STREAM, kinds::TASK_TEMPLATE, task_template.id.as_str(), &task_template).await;
    }

    /// Adds a queue.
    pub async fn queue(&self, name: &str) -> Queue {
        let queue =
            Queue { id: QueueId::from_text(format!("qu-{name}")), name: name.to_owned(), active: true };
        self.write(STREAM, kinds::QUEUE, queue.id.as_str(), &queue).await;
        queue
    }

    /// Adds an agent.
    pub async fn agent(&self, name: &str) -> Agent {
        let agent = Agent {
            id: AgentId::from_text(format!("a-{name}")),
            user: UserId::from_text(format!("u-{name}")),
            name: name.to_owned(),
            email: format!("{}@example.com", name.to_lowercase()),
            image: NO_AVATAR.to_owned(),
            active: true,
        };
        self.write(STREAM, kinds::AGENT, agent.id.as_str(), &agent).await;
        agent
    }

    /// Adds a status.
    pub async fn status(&self, name: &str, category: Category, enabled: bool) {
        let status = Status {
            id: StatusId::from_text(format!("sts-{name}")),
            name: name.to_owned(),
            category,
            origin: Origin::Custom,
            description: String::new(),
            enabled,
            active: true,
        };
        self.write(STREAM, kinds::STATUS, status.id.as_str(), &status).await;
    }

    /// Adds a status that is switched off.
    pub async fn disabled_status(&self, name: &str) {
        self.status(name, Category::OnHold, false).await;
    }

    /// Applies a configuration document.
    pub async fn apply(&self, document: serde_json::Value) {
        let document = document.to_string();
        casement_app::configuration::apply::apply(&self.app, None, document.as_bytes(), Run::Real)
            .await
            .unwrap();
    }

    async fn write(&self, workspace: &str, kind: &str, id: &str, entry: &impl Serialize) {
        self.write_as(casement_app::body::SCHEMA, workspace, kind, id, entry).await;
    }

    async fn write_as(&self, schema: u32, workspace: &str, kind: &str, id: &str, entry: &impl Serialize) {
        self.put(schema, workspace, kind, id, None, entry).await;
    }

    async fn put(
        &self,
        schema: u32,
        workspace: &str,
        kind: &str,
        id: &str,
        parent: Option<&str>,
        entry: &impl Serialize,
    ) {
        let stored = self.store.document(workspace, kind, id).await.unwrap();
        let document = DocumentWrite {
            kind: kind.to_owned(),
            id: id.to_owned(),
            parent: parent.map(str::to_owned),
            version: stored.map_or(0, |stored| stored.version),
            counter: None,
            schema,
            body: casement_app::body::encode(entry),
        };
        let event = EventWrite {
            kind: format!("{kind}.changed"),
            document_kind: kind.to_owned(),
            document: id.to_owned(),
            changes: None,
            salt: self.app.sources().salt(),
        };
        let set = WriteSet {
            workspace: workspace.to_owned(),
            operation: self.app.sources().operation(),
            at_ms: self.now_ms(),
            actor: "u-admin".to_owned(),
            app: String::new(),
            config_version: None,
            changes_config: workspace != INSTALLATION,
            guards: Vec::new(),
            claim_guards: Vec::new(),
            head_guards: Vec::new(),
            documents: vec![document],
            claims: Vec::new(),
            events: vec![event],
        };
        self.store.commit(set).await.unwrap();
    }
}
