//! The ports on real providers: DynamoDB, OpenAI, Twilio, Lambda, AWS's stores of secrets and the machine
//! itself.
//!
//! Each adapter owns its wire format; no type of a provider leaves it.

pub mod dynamodb;
pub mod lambda;
pub mod openai;
pub mod secrets;
pub mod system;
pub mod twilio;
