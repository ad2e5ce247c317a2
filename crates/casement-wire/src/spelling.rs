//! How the wire spells the keys of the domain.

use casement_domain::fault::Key;
use casement_domain::workspace::entries::Origin;

/// Which sort of document a request is about; a few keys are spelled by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    /// A case.
    Case,
    /// A task.
    Task,
}

/// Gives the spelling of where an entry of the configuration comes from.
pub fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::System => "system",
        Origin::Custom => "custom",
    }
}

/// Gives the spelling of a key; `None` stands for the body as a whole.
pub fn spelling(key: Key, noun: Noun) -> Option<&'static str> {
    Some(match key {
        Key::Body => return None,
        Key::Id => "_id",
        Key::Template => match noun {
            Noun::Case => "caseTmp",
            Noun::Task => "taskTmp",
        },
        Key::CaseTemplateOfTask => "caseTmp",
        Key::Name => "name",
        Key::Description => "desc",
        Key::Tags => "tags",
        Key::Customer => "userInfo",
        Key::CustomerId => "userInfo._id",
        Key::CustomerName => "userInfo.name",
        Key::CustomerEmail => "userInfo.emailId",
        Key::CustomerPhone => "userInfo.phoneNumber",
        Key::Email => "emailId",
        Key::Phone => "phoneNumber",
        Key::SessionIds => "sessIds",
        Key::ConversationIds => "convIds",
        Key::Account => "accountId",
        Key::Stream => "iId",
        Key::StreamAlias => "lid",
        Key::Organisation => "orgId",
        Key::Status => "status",
        Key::Priority => "priority",
        Key::Source => "source",
        Key::Language => "language",
        Key::ConversationType => "conversationType",
        Key::Fields => "fields",
        Key::Participants => "participants",
        Key::Queues => "queues",
        Key::ReferenceId => "refId",
        Key::AssigneeType => "assigneeType",
        Key::Assignee => "currAssignee",
        Key::Active => "isActive",
        Key::Attachments => "attachments",
        Key::Feedback => "feedback",
        Key::ResolutionComments => "resolutionCmts",
        Key::DependsOn => "dependsOn",
        Key::Required => "isRequired",
        Key::Checklist => "checklist",
        Key::CreatedBy => "createdBy",
        Key::CreatedAt => "createdAt",
        Key::Stamp => "timestampValue",
        Key::DueDate => "dueDate",
        Key::Eta => "ETA",
        Key::Channels => "channel",
        Key::CaseOfTask => "caseId",
        Key::CaseReference => "caseRefId",
        Key::SearchText => "searchText",
        Key::Unresolved => "unresolved",
        Key::Unassigned => "unassigned",
        Key::MyCase => "mycase",
        Key::MyTask => "mytask",
        Key::StartDate => "startDate",
        Key::EndDate => "endDate",
        Key::SortBy => "sortBy",
        Key::Skip => "skip",
        Key::Limit => "limit",
        Key::Agents => "agents",
        Key::CustomFields => "customFields",
        Key::EtaList => "ETAlist",
        Key::Columns => "selectedColumns",
        Key::Expression => "q",
        Key::Hits => "hits",
        Key::Groupings => "by",
        Key::Cursor => "cursor",
        Key::SortParameter => "sort",
        Key::ColumnsParameter => "columns",
        Key::Agent => "agent",
        Key::Queue => "queue",
        Key::Nobody => "nobody",
        Key::Note => "note",
        Key::Watcher => "agentId",
        Key::OtherCase => "otherId",
        Key::LinkType => "type",
        Key::Into => "into",
        Key::Visibility => "visibility",
        Key::Format => "format",
        Key::Text => "text",
        Key::Mentions => "mentions",
        Key::StandardResponse => "standardResponse",
        Key::Deleted => "isDeleted",
        Key::Score => "score",
        Key::ExpiresInDays => "expiresInDays",
    })
}
