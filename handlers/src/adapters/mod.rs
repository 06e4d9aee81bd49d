//! The ports on real providers: DynamoDB, OpenAI, Twilio, the stores of secrets and the machine itself.
//!
//! Each folder owns its wire format: nothing of a provider's shape leaves it.

pub mod dynamodb;
pub mod openai;
pub mod secrets;
pub mod system;
pub mod twilio;
