//! `customer:` a text to the shop, the reply, and everything else that it caused.

use futures::future::join_all;

use super::{
    Running, StepError,
    late::sent_since,
    texts::{self, Recipients, SentText},
};
use crate::{
    check::replies_path,
    outcome::Problem,
    places::YamlPath,
    reply::Replies,
    step::{Customer, Duplicate, Signature},
};
use rehearse_core::{faults::FaultHandle, journal::Exchange};
use rehearse_openai::{ArmedScript, Script, Trigger};
use rehearse_twilio::{Attempt, Delivery, Inbound, Media, Sid, Signing, Twilio, content_type};

/// What to do about a request to the model in a step without a script.
const ADVICE: &str =
    "The step has no script. To answer the request, add to it: model: [{ say: \"...\" }]";

/// A text that is ready to be delivered, with its script armed.
pub(super) struct PreparedText<'s> {
    step: &'s Customer,
    path: YamlPath,
    pub(super) number: String,
    inbound: Inbound,
    script: Option<ArmedScript>,
    crash: Option<FaultHandle>,
}

/// A text that was delivered.
pub(super) struct DeliveredText<'s> {
    ready: PreparedText<'s>,
    sid: Sid,
    deliveries: Vec<Delivery>,
}

impl DeliveredText<'_> {
    /// The number of its sender.
    pub(super) fn number(&self) -> &str {
        &self.ready.number
    }

    /// What must arrive because of it.
    pub(super) fn replies(&self) -> Option<&Replies> {
        self.ready.step.replies.as_ref()
    }
}

/// The number and its Messaging Service have no fallback URL until this is dropped.
pub(super) struct NoFallback {
    twilio: Twilio,
    url: Option<String>,
    of_service: Option<String>,
}

impl Drop for NoFallback {
    fn drop(&mut self) {
        let url = self.url.take();
        self.twilio.configure(|config| config.fallback_url = url);
        let url = self.of_service.take();
        self.twilio.configure_service(|service| service.fallback_url = url);
    }
}

impl PreparedText<'_> {
    pub(super) fn forged(&self) -> bool {
        self.inbound.signing != Signing::Valid
    }
}

impl Running<'_> {
    pub(crate) async fn customer(
        &self,
        step: &Customer,
        label: &str,
        path: &YamlPath,
    ) -> Result<(), StepError> {
        let mark = self.world.journal().mark();
        let ready = self.ready(step, None, label, path)?;
        let fallback = ready.forged().then(|| self.without_fallback());
        let sent = self.deliver(ready).await?;
        self.settled().await?;
        if let Some(replies) = &step.replies {
            self.late_replies(replies, Recipients::Numbers(&[sent.number().to_owned()]), mark)
                .await?;
        }
        drop(fallback);
        let exchanges = self.world.journal().since(mark);
        let mut problems = self.judge(sent, &exchanges, &sent_since(&exchanges));
        let mut unexpected = self.unexpected_requests(path);
        // A model that was asked without a script is the cause of whatever else is wrong.
        if let Some(first) = unexpected.first_mut().filter(|_| step.model.is_none()) {
            first.notes.insert(0, ADVICE.into());
            unexpected.append(&mut problems);
            problems = unexpected;
        } else {
            problems.extend(unexpected);
        }
        StepError::from_problems(problems)
    }

    /// Fills in templates and arms the script. `sender` sends the text in place of the step's `from`.
    pub(super) fn ready<'s>(
        &self,
        step: &'s Customer,
        sender: Option<&str>,
        label: &str,
        path: &YamlPath,
    ) -> Result<PreparedText<'s>, StepError> {
        let below = |key: &str| path.to(key);
        let from = sender.or(step.from.as_deref()).unwrap_or("customer");
        let from = self.text(from, &below("from"))?;
        let number = self.people.number(&from);
        let body = self.text(step.text.as_deref().unwrap_or_default(), &below("customer"))?;
        let mut media = Vec::new();
        for url in &step.media {
            let url = self.text(url, &below("media"))?;
            media.push(Media { content_type: content_type(&url).into(), url });
        }
        let script = step.model.as_ref().map(|rounds| {
            self.world.openai().arm(Script {
                name: format!("step {label}"),
                person: Some(number.clone()),
                trigger: Trigger::Text { text: body.clone(), media: media.len() },
                rounds: rounds.clone(),
                vars: self.vars.clone(),
            })
        });
        let signing = match step.signature {
            None => Signing::Valid,
            Some(Signature::Missing) => Signing::Missing,
            Some(Signature::Wrong) => Signing::Wrong,
            Some(Signature::OtherBody) => Signing::OtherBody,
        };
        let to = step.to.as_ref().map(|to| self.text(to, &below("to"))).transpose()?;
        let numbers = self.world.twilio().numbers();
        if let Some(to) = to.as_ref().filter(|to| !numbers.contains(to)) {
            let message =
                format!("'{to}' is none of the shop's numbers, which are {}", numbers.join(", "));
            return Err(StepError::broken(message, self.location(&below("to"))));
        }
        let texted = to.as_deref().unwrap_or(self.world.twilio().number());
        if number.starts_with("whatsapp:") && !self.world.twilio().is_whatsapp_sender(texted) {
            let message =
                format!("{texted} is no WhatsApp sender: add it to `whatsapp` in rehearse.toml");
            return Err(StepError::broken(message, self.location(&below("from"))));
        }
        let inbound = Inbound { from: number.clone(), to, body, media, signing };
        let crash = self.arm_crash(step.crash.as_ref());
        Ok(PreparedText { step, path: path.clone(), number, inbound, script, crash })
    }

    /// Sends the text as often as the step asks, and waits for the webhook's responses.
    pub(super) async fn deliver<'s>(
        &self,
        ready: PreparedText<'s>,
    ) -> Result<DeliveredText<'s>, StepError> {
        let twilio = self.world.twilio();
        let sid = twilio.accept(ready.inbound.clone());
        if ready.forged() {
            self.texts.note_forged(sid.to_string());
        }
        let is_twice = self.texts.next_is_twice();
        let deliveries = match ready.step.duplicate {
            Some(duplicate) => self.duplicates(sid, duplicate).await?,
            None if is_twice => join_all((0..2).map(|_| twilio.redeliver(sid))).await,
            None => vec![twilio.redeliver(sid).await],
        };
        Ok(DeliveredText { ready, sid, deliveries })
    }

    /// Removes the fallback URL while the result lives: a forged request comes once, and its sender
    /// does not know the fallback.
    pub(super) fn without_fallback(&self) -> NoFallback {
        let twilio = self.world.twilio().clone();
        let (mut url, mut of_service) = (None, None);
        twilio.configure(|config| url = config.fallback_url.take());
        twilio.configure_service(|service| of_service = service.fallback_url.take());
        NoFallback { twilio, url, of_service }
    }

    /// Deliveries at once, or one after the other with the clock moved in between.
    async fn duplicates(&self, sid: Sid, duplicate: Duplicate) -> Result<Vec<Delivery>, StepError> {
        let twilio = self.world.twilio();
        if duplicate.gap.is_some_and(|gap| gap.0.is_zero()) {
            return Ok(join_all((0..duplicate.times).map(|_| twilio.redeliver(sid))).await);
        }
        let mut deliveries = Vec::new();
        for index in 0..duplicate.times {
            if let Some(gap) = duplicate.gap.filter(|_| index > 0) {
                let then = self.now().checked_add(gap.0);
                self.set_time(then.unwrap_or_else(|_| self.now())).await?;
            }
            deliveries.push(twilio.redeliver(sid).await);
        }
        Ok(deliveries)
    }

    /// What is wrong with a delivered text, once everything has settled.
    pub(super) fn judge(
        &self,
        sent: DeliveredText<'_>,
        exchanges: &[Exchange],
        texts: &[SentText],
    ) -> Vec<Problem> {
        let DeliveredText { ready, sid, deliveries } = sent;
        let PreparedText { step, path, number, script, crash, .. } = ready;
        let mut problems: Vec<Problem> = script
            .map(ArmedScript::finish)
            .unwrap_or_default()
            .into_iter()
            .map(|problem| self.model_problem(problem, &path))
            .collect();
        let attempts: Vec<&Attempt> = deliveries.iter().flat_map(|d| &d.attempts).collect();
        match &step.deliveries {
            Some(_) => problems.extend(self.attempts(step, &attempts, &path)),
            None if step.signature.is_none() => {
                problems.extend(self.unanswered(&deliveries, exchanges, &path));
            }
            None => {}
        }
        problems.extend(self.no_crash(step.crash.as_ref(), crash, &path));
        // Filled in only now: they may use names that the model's rounds saved.
        if let Some(replies) = &step.replies {
            let sid = sid.to_string();
            let own: Vec<SentText> = texts
                .iter()
                .filter(|text| text.in_reply_to.as_ref().is_none_or(|other| *other == sid))
                .cloned()
                .collect();
            problems.extend(self.replies(replies, &own, Recipients::Numbers(&[number]), &path));
        }
        problems
    }

    /// What is wrong with the texts that arrived because of a step.
    pub(super) fn replies(
        &self,
        replies: &Replies,
        texts: &[SentText],
        of: Recipients<'_>,
        path: &YamlPath,
    ) -> Vec<Problem> {
        let at = replies_path(&self.scenario.file().tree, path);
        self.texts(replies, texts, of, &at)
    }

    /// What is wrong with texts, for the list at a path.
    pub(super) fn texts(
        &self,
        replies: &Replies,
        texts: &[SentText],
        of: Recipients<'_>,
        at: &YamlPath,
    ) -> Vec<Problem> {
        let replies = match replies.render(&self.vars) {
            Ok(replies) => replies,
            Err(error) => return vec![Problem::new(error.to_string()).at(self.location(at))],
        };
        texts::check(&replies, texts, of, &self.people)
            .into_iter()
            .map(|found| found.problem.at(self.location(&at.join(&found.below))))
            .collect()
    }
}
