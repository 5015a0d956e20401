//! Uploads that go with a text: whether the carrier would take them is said before anything is queued.

use anteroom_carriers::{CarrierKind, MediaLimits, media_limits};
use anteroom_model::{
    ids::{MediaId, MessageId, StaffId},
    states::{Direction, MediaState},
};
use anteroom_store::{Media, Number, Org};
use axum::http::StatusCode;

use crate::problem::Problem;

/// Makes the uploads `ids` of `staff`'s parts of `message`, which goes out from `number`.
pub(super) async fn attach(
    org: &mut Org<'_>,
    number: &Number,
    message: MessageId,
    staff: StaffId,
    ids: &[MediaId],
) -> Result<(), Problem> {
    if ids.is_empty() {
        return Ok(());
    }
    let account = org.account(number.carrier_account_id).await?;
    let account = account.ok_or_else(|| Problem::not_found("carrier account"))?;
    let carrier: CarrierKind = account.carrier.parse().map_err(|error| Problem::internal(&error))?;
    let limits = media_limits(carrier, number.kind).ok_or_else(|| {
        let detail =
            "Pictures and files can't be sent from this number: its carrier account takes texts only.";
        Problem::new(StatusCode::CONFLICT, "no-media", "This number sends texts only", detail)
    })?;
    let mut files = Vec::with_capacity(ids.len());
    for id in ids {
        let unknown = || Problem::invalid(format!("media: there is no upload {id} of yours."));
        let file = org.media(*id).await?.ok_or_else(unknown)?;
        if file.direction != Direction::Outbound
            || file.staff_id != Some(staff)
            || file.state != MediaState::Ready
        {
            return Err(unknown());
        }
        files.push(file);
    }
    check(&limits, &files)?;
    for (position, id) in (0_i32..).zip(ids) {
        if !org.attach_media(*id, message, position, staff).await? {
            let detail = "An upload goes with one text. Upload the file again to send it again.";
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "media-used",
                "The upload was sent before",
                detail,
            ));
        }
    }
    Ok(())
}

/// Whether a carrier with these limits takes these files with one text.
fn check(limits: &MediaLimits, files: &[Media]) -> Result<(), Problem> {
    let refused = |detail: String| {
        Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "media-limits",
            "The carrier would not take it",
            detail,
        ))
    };
    if files.len() > limits.count {
        let (many, most) = (files.len(), limits.count);
        return refused(format!("This number's carrier takes {most} with one text, and these are {many}."));
    }
    let size = |file: &Media| file.bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
    let mut total = 0;
    for (at, file) in files.iter().enumerate() {
        let kind = file.kind.as_deref().unwrap_or_default();
        if !limits.kinds.contains(&kind) {
            let taken = limits.kinds.join(", ");
            return refused(format!("File {} is {kind}; this number's carrier takes {taken}.", at + 1));
        }
        let picture = matches!(kind, "image/jpeg" | "image/png" | "image/gif");
        if !picture && size(file) > limits.other_bytes {
            let (has, most) = (size(file), limits.other_bytes);
            let detail =
                format!("File {} has {has} bytes; this number's carrier takes {most} of {kind}.", at + 1);
            return refused(detail);
        }
        total += size(file);
    }
    if total > limits.total_bytes {
        let most = limits.total_bytes;
        return refused(format!("Together they have {total} bytes; this number's carrier takes {most}."));
    }
    Ok(())
}
