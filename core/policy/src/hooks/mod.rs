//! One module per hook: words of the model to words of `wit/` and back, the call, and what an answer must
//! hold before the host looks at it at all.
//!
//! Each module offers the same four things, which [`call`] and [`Hooks`] put together: `Pre` (what is
//! looked up once per version), `call`, `From` conversions, and a small pure `check` of the answer.

mod identity;
mod replies;
mod routing;
mod shared;
mod shortcuts;
mod size;

use anteroom_model::hooks::{Hook, HookInput, HookOutput};
use wasmtime::{Store, component::InstancePre};

pub(crate) use self::size::Size;
use crate::{
    Fault, FaultKind,
    bindings::{
        identity::IdentityPolicyPre, replies::RepliesPolicyPre, routing::RoutingPolicyPre,
        shortcuts::ShortcutsPolicyPre, types::PolicyError,
    },
    state::State,
};

/// What a guest's function returned.
pub(crate) type Answer<T> = Result<Option<T>, PolicyError>;

/// The interface that a component exports to serve `hook`.
pub(crate) const fn interface(hook: Hook) -> &'static str {
    match hook {
        Hook::Identity => "anteroom:policy/identity@1.0.0",
        Hook::Routing => "anteroom:policy/routing@1.0.0",
        Hook::Replies => "anteroom:policy/replies@1.0.0",
        Hook::Shortcuts => "anteroom:policy/shortcuts@1.0.0",
    }
}

/// What is looked up and type-checked once per policy version: the worlds that its component satisfies.
pub(crate) struct Hooks {
    identity: Option<IdentityPolicyPre<State>>,
    routing: Option<RoutingPolicyPre<State>>,
    replies: Option<RepliesPolicyPre<State>>,
    shortcuts: Option<ShortcutsPolicyPre<State>>,
}

impl Hooks {
    /// Looks up the functions of `exported`; the error names the hook that lacks one.
    pub(crate) fn new(pre: &InstancePre<State>, exported: &[Hook]) -> Result<Self, (Hook, wasmtime::Error)> {
        let mut hooks = Self { identity: None, routing: None, replies: None, shortcuts: None };
        for &hook in exported {
            let pre = pre.clone();
            match hook {
                Hook::Identity => IdentityPolicyPre::new(pre).map(|pre| hooks.identity = Some(pre)),
                Hook::Routing => RoutingPolicyPre::new(pre).map(|pre| hooks.routing = Some(pre)),
                Hook::Replies => RepliesPolicyPre::new(pre).map(|pre| hooks.replies = Some(pre)),
                Hook::Shortcuts => ShortcutsPolicyPre::new(pre).map(|pre| hooks.shortcuts = Some(pre)),
            }
            .map_err(|error| (hook, error))?;
        }
        Ok(hooks)
    }

    /// Instantiates as a call of `hook` does, which is when Wasmtime compares the types of its functions.
    pub(crate) fn start(&self, store: &mut Store<State>, hook: Hook) -> wasmtime::Result<()> {
        match hook {
            Hook::Identity => self.identity.as_ref().ok_or_else(unserved)?.instantiate(store).map(drop),
            Hook::Routing => self.routing.as_ref().ok_or_else(unserved)?.instantiate(store).map(drop),
            Hook::Replies => self.replies.as_ref().ok_or_else(unserved)?.instantiate(store).map(drop),
            Hook::Shortcuts => self.shortcuts.as_ref().ok_or_else(unserved)?.instantiate(store).map(drop),
        }
    }

    /// Instantiates in `store` and calls the function that `input` is for. `Ok(Err(_))` is what the policy
    /// said of itself; `Err(_)` is what stopped it.
    pub(crate) fn call(
        &self,
        store: &mut Store<State>,
        input: &HookInput,
    ) -> wasmtime::Result<Answer<HookOutput>> {
        match input {
            HookInput::Identity(turn) => {
                let pre = self.identity.as_ref().ok_or_else(unserved)?;
                Ok(identity::call(pre, store, turn)?.map(|step| step.map(HookOutput::Identity)))
            }
            HookInput::Routing(turn) => {
                let pre = self.routing.as_ref().ok_or_else(unserved)?;
                Ok(routing::call(pre, store, turn)?.map(|placement| placement.map(HookOutput::Routing)))
            }
            HookInput::Replies(turn) => {
                let pre = self.replies.as_ref().ok_or_else(unserved)?;
                Ok(replies::call(pre, store, turn)?.map(|replies| replies.map(HookOutput::Replies)))
            }
            HookInput::ShortcutList(context) => {
                let pre = self.shortcuts.as_ref().ok_or_else(unserved)?;
                Ok(shortcuts::list(pre, store, context)?.map(|list| list.map(HookOutput::ShortcutList)))
            }
            HookInput::ShortcutExpand { name, context } => {
                let pre = self.shortcuts.as_ref().ok_or_else(unserved)?;
                let answer = shortcuts::expand(pre, store, name, context)?;
                Ok(answer.map(|expansion| expansion.map(HookOutput::ShortcutExpand)))
            }
        }
    }
}

fn unserved() -> wasmtime::Error {
    wasmtime::Error::msg("the component doesn't serve this hook")
}

/// Does `output` keep the hook's rules, as far as they can be told from the input alone?
pub(crate) fn check(input: &HookInput, output: &HookOutput) -> Result<(), Fault> {
    match (input, output) {
        (HookInput::Identity(_), HookOutput::Identity(step)) => identity::check(step),
        (HookInput::Routing(turn), HookOutput::Routing(placement)) => routing::check(turn, placement),
        (HookInput::Replies(_), HookOutput::Replies(replies)) => replies::check(replies),
        (HookInput::ShortcutList(_), HookOutput::ShortcutList(list)) => shortcuts::check(list),
        (HookInput::ShortcutExpand { .. }, HookOutput::ShortcutExpand(expansion)) => {
            filled(&expansion.body, "the expansion's body")
        }
        _ => Err("an answer of another hook".to_owned()),
    }
    .map_err(|message| Fault::new(FaultKind::InvalidOutput, message))
}

/// Did an answer break the rules only by a name that the organization of its turn doesn't have?
pub(crate) fn is_unknown_name(fault: &Fault) -> bool {
    fault.kind == FaultKind::InvalidOutput && fault.message.starts_with(routing::UNKNOWN)
}

/// What a check says of an answer that breaks a rule.
type Checked = Result<(), String>;

/// Longest of the names and keys that a policy makes up and the host stores, in bytes.
const NAME_BYTES: usize = 128;

fn filled(text: &str, what: &str) -> Checked {
    if text.trim().is_empty() { Err(format!("{what} is empty")) } else { Ok(()) }
}

fn name(text: &str, what: &str) -> Checked {
    filled(text, what)?;
    if text.len() > NAME_BYTES { Err(format!("{what} is over {NAME_BYTES} bytes long")) } else { Ok(()) }
}
