//! `--port-base` and `--PART-port`: the fixed ports of a world.

use crate::error::CommandError;
use rehearse_aws::template::Ports;

/// Options that move fixed ports.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Ports")]
pub(crate) struct PortArgs {
    /// Port of the gateway; the other parts follow in steps of ten.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=65_475))]
    port_base: Option<u16>,
    /// Port of API Gateway.
    #[arg(long, value_name = "N")]
    gateway_port: Option<u16>,
    /// Port of Twilio.
    #[arg(long, value_name = "N")]
    twilio_port: Option<u16>,
    /// Port of OpenAI.
    #[arg(long, value_name = "N")]
    openai_port: Option<u16>,
    /// Port of DynamoDB.
    #[arg(long, value_name = "N")]
    dynamodb_port: Option<u16>,
    /// Port of the control API.
    #[arg(long, value_name = "N")]
    control_port: Option<u16>,
    /// Port of the secrets extension.
    #[arg(long, value_name = "N")]
    secrets_port: Option<u16>,
    /// Port of Lambda's Invoke API.
    #[arg(long, value_name = "N")]
    lambda_port: Option<u16>,
}

impl PortArgs {
    /// The ports of the settings, replaced by those of the options.
    pub(crate) fn over(&self, configured: Ports) -> Ports {
        let of = |own: Option<u16>, step: u16, configured: u16| {
            own.or_else(|| self.port_base.map(|base| base + step)).unwrap_or(configured)
        };
        Ports {
            gateway: of(self.gateway_port, 0, configured.gateway),
            twilio: of(self.twilio_port, 10, configured.twilio),
            openai: of(self.openai_port, 20, configured.openai),
            dynamodb: of(self.dynamodb_port, 30, configured.dynamodb),
            control: of(self.control_port, 40, configured.control),
            secrets: of(self.secrets_port, 50, configured.secrets),
            lambda: of(self.lambda_port, 60, configured.lambda),
        }
    }

    /// Refuses ports for a world that takes free ones.
    pub(crate) fn refuse(&self) -> Result<(), CommandError> {
        match self.given().first() {
            None => Ok(()),
            Some((option, _)) => Err(CommandError::wrong(format!(
                "--{option} has no effect with this target"
            ))
            .help("its worlds take free ports; only the ports of --target URL can be chosen")),
        }
    }

    /// The options as they were typed, for a command that repeats this one.
    pub(crate) fn typed(&self) -> impl Iterator<Item = String> {
        self.given().into_iter().flat_map(|(name, port)| [format!("--{name}"), port.to_string()])
    }

    fn given(&self) -> Vec<(&'static str, u16)> {
        let all = [
            ("port-base", self.port_base),
            ("gateway-port", self.gateway_port),
            ("twilio-port", self.twilio_port),
            ("openai-port", self.openai_port),
            ("dynamodb-port", self.dynamodb_port),
            ("control-port", self.control_port),
            ("secrets-port", self.secrets_port),
            ("lambda-port", self.lambda_port),
        ];
        all.into_iter().filter_map(|(name, port)| Some((name, port?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &[&str]) -> PortArgs {
        use clap::Parser;
        #[derive(Parser)]
        struct Line {
            #[command(flatten)]
            args: PortArgs,
        }
        Line::parse_from(std::iter::once("up").chain(line.iter().copied())).args
    }

    #[test]
    fn a_base_moves_all_ports_and_a_flag_only_its_own() {
        let of = |line: &[&str]| args(line).over(Ports::default()).by_name().map(|(_, port)| port);
        assert_eq!(of(&[]), [4000, 4010, 4020, 4030, 4040, 4050, 4060]);
        assert_eq!(of(&["--port-base", "5000"]), [5000, 5010, 5020, 5030, 5040, 5050, 5060]);
        assert_eq!(
            of(&["--port-base", "5000", "--openai-port", "9"]),
            [5000, 5010, 9, 5030, 5040, 5050, 5060]
        );
    }

    #[test]
    fn what_was_typed_is_repeated_and_refused_where_nothing_is_fixed() {
        let line = ["--port-base", "5000", "--openai-port", "9"];
        assert_eq!(args(&line).typed().collect::<Vec<_>>(), line);
        assert!(args(&line).refuse().unwrap_err().texts()[0].contains("--port-base"));
        assert!(args(&[]).refuse().is_ok());
    }
}
