//! `together:` steps that begin at the same time.

use futures::future::join_all;
use rehearse_core::random::SplitMix64;

use serde_json::Value;

use super::{
    Running, StepError,
    customer::{DeliveredText, PreparedText},
    invoke::InvokedStep,
    late::sent_since,
    request::ReceivedResponse,
    texts::Recipients,
};
use crate::{
    outcome::Problem,
    places::YamlPath,
    step::{Invoke, Request, Step, Together},
};
use rehearse_core::faults::Rendezvous;

/// A step of a group, ready to begin.
enum ReadyStep<'s> {
    Text(PreparedText<'s>),
    Request(&'s Request, YamlPath),
    Invoke(&'s Invoke, YamlPath),
}

/// A step of a group that has been answered.
enum AnsweredStep<'s> {
    Text(DeliveredText<'s>),
    Request(&'s Request, YamlPath, ReceivedResponse),
    Invoke(&'s Invoke, YamlPath, InvokedStep),
}

impl Running<'_> {
    pub(crate) async fn together(
        &self,
        group: &Together,
        label: &str,
        path: &YamlPath,
    ) -> Result<(), StepError> {
        let mark = self.world.journal().mark();
        let mut begin = Vec::new();
        for (index, step) in group.together.iter().enumerate() {
            let path = path.to("together").to(index);
            let next = |begin: &Vec<_>| format!("{label}.{}", begin.len() + 1);
            self.note(&next(&begin), step);
            match step {
                Step::Customer(step) => {
                    for sender in step.senders() {
                        if let Some(sender) = sender {
                            self.vars.set("sender", sender.into());
                        }
                        let ready = self.ready(step, sender, &next(&begin), &path);
                        // It is for the text alone: rounds are filled in when all have begun.
                        self.vars.remove("sender");
                        begin.push(ReadyStep::Text(ready?));
                    }
                }
                Step::Request(step) => begin.push(ReadyStep::Request(step, path)),
                Step::Invoke(step) => begin.push(ReadyStep::Invoke(step, path)),
                other => {
                    let message = format!("'{}' cannot be in a group", other.title());
                    return Err(StepError::broken(message, self.location(&path)));
                }
            }
        }
        let numbers: Vec<String> = begin
            .iter()
            .filter_map(|step| match step {
                ReadyStep::Text(ready) => Some(ready.number.clone()),
                ReadyStep::Request(..) | ReadyStep::Invoke(..) => None,
            })
            .collect();
        let forged =
            |step: &ReadyStep<'_>| matches!(step, ReadyStep::Text(ready) if ready.forged());
        let fallback = begin.iter().any(forged).then(|| self.without_fallback());
        let rendezvous = self.arm_rendezvous(group, path)?;
        let mut order: Vec<(usize, ReadyStep<'_>)> = begin.into_iter().enumerate().collect();
        if let Some(seed) = self.seed {
            SplitMix64::new(seed).shuffle(&mut order);
        }
        let all = order.into_iter().map(|(index, step)| {
            let rendezvous = rendezvous.as_ref();
            async move {
                let done = match step {
                    ReadyStep::Text(ready) => self.deliver(ready).await.map(AnsweredStep::Text),
                    ReadyStep::Request(step, path) => self
                        .call(step, &path)
                        .await
                        .map(|answer| AnsweredStep::Request(step, path, answer)),
                    ReadyStep::Invoke(step, path) => self
                        .give_event(step, &path)
                        .await
                        .map(|invoked| AnsweredStep::Invoke(step, path, invoked)),
                };
                if let Some(rendezvous) = rendezvous {
                    rendezvous.participant_ended();
                }
                done.map(|done| (index, done))
            }
        });
        let mut done = join_all(all).await.into_iter().collect::<Result<Vec<_>, StepError>>()?;
        done.sort_by_key(|(index, _)| *index);
        self.settled().await?;
        for (_, step) in &done {
            if let AnsweredStep::Text(sent) = step
                && let Some(replies) = sent.replies()
            {
                let number = [sent.number().to_owned()];
                self.late_replies(replies, Recipients::Numbers(&number), mark).await?;
            }
        }
        if let Some(replies) = &group.replies {
            self.late_replies(replies, Recipients::Numbers(&numbers), mark).await?;
        }
        drop(fallback);

        let exchanges = self.world.journal().since(mark);
        let texts = sent_since(&exchanges);
        let mut problems: Vec<Problem> = rendezvous
            .and_then(|rendezvous| self.missed(&rendezvous, group, path))
            .into_iter()
            .collect();
        for (_, done) in done {
            problems.extend(match done {
                AnsweredStep::Text(sent) => self.judge(sent, &exchanges, &texts),
                AnsweredStep::Request(step, path, answer) => self.answered(step, &answer, &path),
                AnsweredStep::Invoke(step, path, invoked) => self.invoked(step, &invoked, &path),
            });
        }
        problems.extend(self.unexpected_requests(path));
        if let Some(replies) = &group.replies {
            problems.extend(self.replies(replies, &texts, Recipients::Numbers(&numbers), path));
        }
        StepError::from_problems(problems)
    }

    /// Makes the group's calls wait for each other, if it has `meet`.
    fn arm_rendezvous(
        &self,
        group: &Together,
        path: &YamlPath,
    ) -> Result<Option<Rendezvous>, StepError> {
        let Some(meet) = &group.meet else { return Ok(None) };
        let target = self.fault_target(&meet.table, &meet.key, &path.to("meet"))?;
        let all = group.together.iter().flat_map(|step| self.marks(step)).collect();
        let rendezvous = Rendezvous::new(&meet.on, target, distinct(all), self.seed.unwrap_or(0));
        self.world.faults().set_rendezvous(rendezvous.clone());
        Ok(Some(rendezvous))
    }

    /// Texts by which a step's calls are recognised: the sender's number, the strings of a body. A list
    /// for each sender of a text that is repeated.
    fn marks(&self, step: &Step) -> Vec<Vec<String>> {
        let mut marks = Vec::new();
        match step {
            Step::Customer(step) => {
                let senders = step.senders().into_iter();
                let of = |sender: Option<&str>| {
                    let from = sender.or(step.from.as_deref()).unwrap_or("customer");
                    let from = self.vars.text(from).ok();
                    from.map(|from| self.people.number(&from)).into_iter().collect()
                };
                return senders.map(of).collect();
            }
            Step::Request(step) => {
                let form = step.form.clone().map(Value::Object);
                for body in [&step.json, &form].into_iter().flatten() {
                    texts_of(&self.vars.render(body).unwrap_or_default(), &mut marks);
                }
            }
            Step::Invoke(step) => {
                let event = self.event(step, &YamlPath::new());
                texts_of(&event.unwrap_or_default(), &mut marks);
            }
            _ => {}
        }
        vec![marks]
    }

    /// The problem of a race that did not happen.
    fn missed(
        &self,
        rendezvous: &Rendezvous,
        group: &Together,
        path: &YamlPath,
    ) -> Option<Problem> {
        let (missed, meet) = (rendezvous.missed()?, group.meet.as_ref()?);
        let mut problem = Problem::new(format!("the steps did not meet at {}", meet.on)).differs(
            format!("{} calls that wait for each other", missed.size),
            format!("{}, and a step ended without one", missed.arrived),
        );
        problem.notes = vec!["A step that waits for another's answer cannot meet it.".into()];
        Some(problem.at(self.location(&path.to("meet"))))
    }
}

/// Every text in a value.
fn texts_of(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|value| texts_of(value, texts)),
        Value::Object(map) => map.values().for_each(|value| texts_of(value, texts)),
        _ => {}
    }
}

/// For each step the marks that no other step has. Short marks are left out: they occur everywhere.
fn distinct(all: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let own = |index: usize, mark: &String| {
        let mut others = all.iter().enumerate().filter(|(other, _)| *other != index);
        mark.len() > 3 && !others.any(|(_, marks)| marks.contains(mark))
    };
    let marks = all.iter().enumerate();
    marks.map(|(index, marks)| marks.iter().filter(|m| own(index, m)).cloned().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_what_only_one_has() {
        let list = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let all = vec![list(&["+15550001", "2:00 PM", "a"]), list(&["+15550002", "2:00 PM"])];
        assert_eq!(distinct(all), [list(&["+15550001"]), list(&["+15550002"])]);
    }

    #[test]
    fn a_seed_gives_one_order_and_seeds_give_all() {
        let order = |seed| {
            let mut list = [0, 1, 2];
            SplitMix64::new(seed).shuffle(&mut list);
            list
        };
        assert_eq!(order(7), order(7));
        let all: std::collections::BTreeSet<_> = (0..100).map(order).collect();
        assert_eq!(all.len(), 6);
    }
}
