//! `delivery:`

use super::{Running, StepError};
use crate::{places::YamlPath, step::DeliveryEntry};

impl Running<'_> {
    /// Decides what becomes of texts from here on.
    pub(crate) fn steer(&self, entry: &DeliveryEntry, path: &YamlPath) -> Result<(), StepError> {
        let to = match &entry.to {
            Some(to) => Some(self.people.number(&self.text(to, &path.to("to"))?)),
            None => None,
        };
        let steered = self.world.twilio().steer(entry.plan(to));
        steered.map_err(|error| StepError::broken(error.to_string(), self.location(path)))
    }
}
