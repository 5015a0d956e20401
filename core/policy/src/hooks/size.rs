//! How many bytes a hook's input or output takes, about as the component model lowers it.

use anteroom_model::hooks::{
    Claim, ClinicNumber, Exchange, HookInput, HookOutput, Hours, LocalTime, Placement, Reply, Shortcut,
    ShortcutContext, Step, Told,
};

/// Bytes when lowered: a text is its bytes, a pointer and a length; a list is its elements, a pointer and a
/// length. Small fixed fields count as one such pair.
pub(crate) trait Size {
    fn size(&self) -> usize;
}

const PAIR: usize = 8;

/// Sums the sizes of fields.
macro_rules! sum {
    ($($field:expr),* $(,)?) => { 0 $(+ $field.size())* };
}

macro_rules! record {
    ($($record:ident { $($field:ident),* })*) => {$(
        impl Size for $record {
            fn size(&self) -> usize {
                sum!($(self.$field),*)
            }
        }
    )*};
}

impl Size for str {
    fn size(&self) -> usize {
        PAIR + self.len()
    }
}

impl Size for String {
    fn size(&self) -> usize {
        self.as_str().size()
    }
}

impl<T: Size> Size for Vec<T> {
    fn size(&self) -> usize {
        PAIR + self.iter().map(Size::size).sum::<usize>()
    }
}

impl<T: Size> Size for Option<T> {
    fn size(&self) -> usize {
        PAIR + self.as_ref().map_or(0, Size::size)
    }
}

record! {
    ClinicNumber { address, kind, label, facility, organization }
    LocalTime { date, weekday }
    Hours { time_zone, local, holiday, opens, closes }
    Exchange { question, prompt, answer }
    Claim { field, value }
    Placement { team, facility, category, priority, tags, reason }
    Told { throttle_key }
    Reply { body, throttle_key, reason }
    Shortcut { name, title, template }
    ShortcutContext { staff_name, teams, number, hours }
}

impl Size for Step {
    fn size(&self) -> usize {
        match self {
            Self::Ask(prompt) => sum!(prompt.question, prompt.text),
            Self::Match(request) => sum!(request.claims, request.acknowledgement, request.required),
            Self::GiveUp(farewell) => sum!(farewell.reason, farewell.acknowledgement, farewell.claims),
        }
    }
}

impl Size for HookInput {
    fn size(&self) -> usize {
        match self {
            Self::Identity(turn) => sum!(turn.text, turn.number, turn.hours, turn.asked),
            Self::Routing(turn) => sum!(
                turn.text,
                turn.number,
                turn.hours,
                turn.identity,
                turn.teams,
                turn.facilities,
                turn.current
            ),
            Self::Replies(turn) => sum!(turn.text, turn.number, turn.hours, turn.told),
            Self::ShortcutList(context) => context.size(),
            Self::ShortcutExpand { name, context } => sum!(name, context),
        }
    }
}

impl Size for HookOutput {
    fn size(&self) -> usize {
        match self {
            Self::Identity(step) => step.size(),
            Self::Routing(placement) => placement.size(),
            Self::Replies(replies) => replies.size(),
            Self::ShortcutList(list) => list.size(),
            Self::ShortcutExpand(expansion) => sum!(expansion.body, expansion.missing),
        }
    }
}
