//! Links between cases. Both sides are told, in one change.

use serde::{Deserialize, Serialize};

use super::Case;
use super::update::{check_changeable, check_merged};
use crate::actor::Actor;
use crate::change::{Change, Record, RecordChange};
use crate::date::Moment;
use crate::fault::{FaultKind, Faults, Key};
use crate::id::CaseId;
use crate::limits;
use crate::version::Versioned;

/// What the other case is to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// Has to do with it.
    Related,
    /// Is the one that it repeats.
    DuplicateOf,
    /// Repeats it.
    DuplicatedBy,
    /// Is what it is a part of. A case has one parent at most.
    Parent,
    /// Is a part of it.
    Child,
    /// Was merged into it, also through another. Only a merge makes such a link.
    Merged,
}

impl LinkKind {
    /// Gives what the case is to the other one; a merged one has no link of its own.
    pub fn reverse(self) -> Option<Self> {
        match self {
            Self::Related => Some(Self::Related),
            Self::DuplicateOf => Some(Self::DuplicatedBy),
            Self::DuplicatedBy => Some(Self::DuplicateOf),
            Self::Parent => Some(Self::Child),
            Self::Child => Some(Self::Parent),
            Self::Merged => None,
        }
    }
}

/// A case that a case is linked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it is.
    pub kind: LinkKind,
    /// The other case.
    pub case: CaseId,
}

impl Case {
    /// Gives the case that it is a part of.
    pub fn parent(&self) -> Option<&CaseId> {
        self.links.iter().find(|link| link.kind == LinkKind::Parent).map(|link| &link.case)
    }

    /// Gives the cases that were merged into it, also through others. What is under their ids (comments, attachments) is seen
    /// on this case.
    pub fn absorbed(&self) -> impl Iterator<Item = &CaseId> {
        self.links.iter().filter(|link| link.kind == LinkKind::Merged).map(|link| &link.case)
    }

    /// Tells whether what is under a case's id belongs to this case: it is its own or that of an absorbed one.
    pub fn is_or_absorbed(&self, case: &CaseId) -> bool {
        self.id == *case || self.absorbed().any(|absorbed| absorbed == case)
    }

    /// Takes out the links with cases that were purged since.
    pub(crate) fn forget(&mut self, gone: &[CaseId]) {
        self.links.retain(|link| !gone.contains(&link.case));
    }
}

/// Decides to link two cases. `above` are the cases above the one that becomes the parent, nearest first, as far as they were
/// looked for; needed for parents and children. `gone` are the cases of their links that were purged since: these links don't
/// count, and end with the change. `Ok(None)`: they are linked so already.
///
/// # Errors
/// All that speaks against it.
pub fn link_cases(
    actor: &Actor,
    before: &Versioned<Case>,
    other: &Versioned<Case>,
    kind: LinkKind,
    above: &[CaseId],
    gone: &[CaseId],
    now: Moment,
) -> Result<Option<Change>, Faults> {
    let mut faults = Faults::new();
    let (one, two) = (&before.value, &other.value);
    let Some(reverse) = kind.reverse() else {
        faults.invalid(Key::LinkType, "only a merge makes such a link");
        return Err(faults);
    };
    if one.id == two.id {
        faults.invalid(Key::OtherCase, "a case can't be linked with itself");
        return Err(faults);
    }
    let link = Link { kind, case: two.id.clone() };
    if one.links.contains(&link) {
        return Ok(None);
    }
    check_both(one, two, &mut faults);
    let is_contrary = matches!(kind, LinkKind::DuplicateOf | LinkKind::DuplicatedBy)
        && one.links.iter().any(|known| known.case == two.id && Some(known.kind) == kind.reverse());
    if is_contrary {
        faults.add(
            FaultKind::Conflict,
            Key::LinkType,
            "the cases are duplicates the other way round already",
        );
    }
    let (mut mine, mut theirs) = (one.clone(), two.clone());
    for case in [&mut mine, &mut theirs] {
        case.forget(gone);
        if case.links.len() >= limits::CASE_LINKS_MAX {
            let message = format!("a case has {} links already, which is the most", limits::CASE_LINKS_MAX);
            faults.add(FaultKind::Unprocessable, Key::OtherCase, message);
        }
    }
    let family = match kind {
        LinkKind::Parent => Some((&theirs, &mine)),
        LinkKind::Child => Some((&mine, &theirs)),
        LinkKind::Related | LinkKind::DuplicateOf | LinkKind::DuplicatedBy | LinkKind::Merged => None,
    };
    if let Some((parent, child)) = family {
        if child.parent().is_some() {
            faults.add(
                FaultKind::Conflict,
                Key::LinkType,
                "the case that would be the child has a parent already",
            );
        }
        if parent.parent() == Some(&child.id) || above.contains(&child.id) {
            faults.add(FaultKind::Conflict, Key::LinkType, "the case would be its own ancestor");
        } else if above.len() >= limits::ANCESTORS_MAX {
            let message =
                format!("the parent has {} cases above it already, which is the most", limits::ANCESTORS_MAX);
            faults.add(FaultKind::Unprocessable, Key::LinkType, message);
        }
    }
    mine.links.push(link);
    theirs.links.push(Link { kind: reverse, case: one.id.clone() });
    faults.or(Some(both(actor, before, mine, other, theirs, "case.linked", now)))
}

/// Decides to end the links of two cases: those of a kind, or all but those that a merge made. A case that was merged keeps its
/// side. Links with the cases that are `gone` end too. `Ok(None)`: there are none.
///
/// # Errors
/// All that speaks against it.
pub fn unlink_cases(
    actor: &Actor,
    before: &Versioned<Case>,
    other: &Versioned<Case>,
    kind: Option<LinkKind>,
    gone: &[CaseId],
    now: Moment,
) -> Result<Option<Change>, Faults> {
    let mut faults = Faults::new();
    let (one, two) = (&before.value, &other.value);
    let (mut mine, mut theirs) = (one.clone(), two.clone());
    let ends = |link: &Link| link.kind.reverse().is_some() && kind.is_none_or(|kind| kind == link.kind);
    let ended: Vec<Link> =
        one.links.iter().filter(|link| link.case == two.id && ends(link)).cloned().collect();
    if ended.is_empty() {
        return Ok(None);
    }
    mine.links.retain(|link| !ended.contains(link));
    mine.forget(gone);
    if two.merged_into.is_some() {
        // That one stays as it was when it was merged.
        check_changeable(one, &one.item, &mut faults);
        mine.item.touch(actor, now);
        let record = RecordChange {
            before: Some(before.clone().map(Record::Case)),
            after: Record::Case(mine),
            event: "case.unlinked",
        };
        return faults.or(Some(Change { records: vec![record] }));
    }
    check_both(one, two, &mut faults);
    theirs.forget(gone);
    theirs.links.retain(|link| {
        link.case != one.id || !ended.iter().any(|ended| ended.kind.reverse() == Some(link.kind))
    });
    faults.or(Some(both(actor, before, mine, other, theirs, "case.unlinked", now)))
}

fn check_both(one: &Case, two: &Case, faults: &mut Faults) {
    for (case, key) in [(one, Key::Active), (two, Key::OtherCase)] {
        if key == Key::Active {
            check_changeable(case, &case.item, faults);
        } else if case.merged_into.is_some() {
            check_merged(case, key, faults);
        } else if !case.item.active {
            faults.add(FaultKind::Conflict, key, "the other case is deleted");
        }
    }
}

/// Makes the change of two cases.
pub(super) fn both(
    actor: &Actor,
    before: &Versioned<Case>,
    mut mine: Case,
    other: &Versioned<Case>,
    mut theirs: Case,
    event: &'static str,
    now: Moment,
) -> Change {
    mine.item.touch(actor, now);
    theirs.item.touch(actor, now);
    let record = |before: &Versioned<Case>, after: Case| RecordChange {
        before: Some(before.clone().map(Record::Case)),
        after: Record::Case(after),
        event,
    };
    Change { records: vec![record(before, mine), record(other, theirs)] }
}
