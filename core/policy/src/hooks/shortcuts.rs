//! `shortcuts.list` and `shortcuts.expand`

use std::collections::HashSet;

use anteroom_model::hooks::{Expansion, Shortcut, ShortcutContext};
use wasmtime::Store;

use super::{Answer, Checked, filled, name};
use crate::{
    bindings::shortcuts::{ShortcutsPolicyPre, exports::anteroom::policy::shortcuts as wit},
    state::State,
};

pub(super) fn list(
    pre: &ShortcutsPolicyPre<State>,
    store: &mut Store<State>,
    context: &ShortcutContext,
) -> wasmtime::Result<Answer<Vec<Shortcut>>> {
    let policy = pre.instantiate(&mut *store)?;
    let answer = policy.anteroom_policy_shortcuts().call_list(store, &context.into())?;
    Ok(answer.map(|list| list.map(|list| list.into_iter().map(Into::into).collect())))
}

pub(super) fn expand(
    pre: &ShortcutsPolicyPre<State>,
    store: &mut Store<State>,
    name: &str,
    context: &ShortcutContext,
) -> wasmtime::Result<Answer<Expansion>> {
    let policy = pre.instantiate(&mut *store)?;
    let answer = policy.anteroom_policy_shortcuts().call_expand(store, name, &context.into())?;
    Ok(answer.map(|expansion| expansion.map(Into::into)))
}

pub(super) fn check(list: &[Shortcut]) -> Checked {
    let mut names = HashSet::new();
    list.iter().try_for_each(|shortcut| {
        name(&shortcut.name, "a shortcut's name")?;
        filled(&shortcut.title, "a shortcut's title")?;
        filled(&shortcut.template, "a shortcut's template")?;
        if names.insert(&shortcut.name) {
            Ok(())
        } else {
            Err(format!("two shortcuts are called {:?}", shortcut.name))
        }
    })
}

impl From<&ShortcutContext> for wit::Context {
    fn from(context: &ShortcutContext) -> Self {
        Self {
            staff_name: context.staff_name.clone(),
            teams: context.teams.clone(),
            number: (&context.number).into(),
            hours: (&context.hours).into(),
        }
    }
}

impl From<wit::Shortcut> for Shortcut {
    fn from(wit::Shortcut { name, title, template }: wit::Shortcut) -> Self {
        Self { name, title, template }
    }
}

impl From<wit::Expansion> for Expansion {
    fn from(wit::Expansion { body, missing }: wit::Expansion) -> Self {
        Self { body, missing }
    }
}
