//! `POST /v1/embeddings`: vectors that are computed from the words of a text.
//!
//! The same text has the same vector, texts that share words or parts of words have vectors that are
//! near each other, and every vector has the length 1. What words mean plays no part.

use base64::{Engine, engine::general_purpose::STANDARD};
use rehearse_core::random::{mix, spread};
use serde_json::{Map, Value, json};

use super::{
    error::ApiError,
    ids,
    models::MODELS,
    options::Options,
    params::{self, ParameterType},
    reply::tokens,
};

/// Models with the length of their vectors, and whether they take `dimensions`.
pub(super) const EMBEDDING_MODELS: [(&str, usize, bool); 3] = [
    ("text-embedding-3-small", 1536, true),
    ("text-embedding-3-large", 3072, true),
    ("text-embedding-ada-002", 1536, false),
];

/// Most tokens of one input.
const MAX_TOKENS: u64 = 8192;
/// Most tokens of all inputs of a request, from its reference.
const MAX_ALL_TOKENS: u64 = 300_000;
/// Most inputs of a request.
const MAX_INPUTS: usize = 2048;

const PARAMETERS: &[(&str, ParameterType)] = &[
    ("model", ParameterType::Text),
    ("input", ParameterType::Any),
    ("dimensions", ParameterType::Integer(1, i64::MAX)),
    ("encoding_format", ParameterType::OneOf(&["float", "base64"])),
    ("user", ParameterType::Text),
];

/// Whether a model makes embeddings.
pub(super) fn is_model(model: &str) -> bool {
    EMBEDDING_MODELS.iter().any(|(known, ..)| *known == model)
}

/// Answers a request.
///
/// # Errors
/// What the provider refuses, in its words.
pub(super) fn create(request: &Map<String, Value>, options: &Options) -> Result<Value, ApiError> {
    let model = params::text(request, "model", "")?;
    params::check(request, PARAMETERS, "")?;
    let full = check_model(model, options)?;
    let dimensions = dimensions(request, model, full)?;
    let inputs = inputs(request.get("input"))?;
    let mut all = 0;
    for input in &inputs {
        let count = input.tokens();
        if count > MAX_TOKENS {
            return Err(ApiError::invalid(format!(
                "This model's maximum context length is {MAX_TOKENS} tokens, however you requested {count} tokens ({count} in your prompt; 0 for the completion). Please reduce your prompt; or completion length."
            )));
        }
        all += count;
    }
    if all > MAX_ALL_TOKENS {
        let mut error = ApiError::invalid(format!(
            "Requested {all} tokens, max {MAX_ALL_TOKENS} tokens per request"
        ));
        error.kind = "max_tokens_per_request";
        return Err(error.code("max_tokens_per_request"));
    }
    let base64 = request.get("encoding_format").and_then(Value::as_str) == Some("base64");
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| {
            let vector = vector(&input.features(), full, dimensions);
            let embedding = if base64 { packed(&vector) } else { json!(vector) };
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        })
        .collect();
    Ok(json!({
        "object": "list",
        "data": data,
        "model": model,
        "usage": { "prompt_tokens": all, "total_tokens": all }
    }))
}

/// One text of a request, which may already be in tokens.
enum Input<'r> {
    Text(&'r str),
    Tokens(Vec<u64>),
}

impl Input<'_> {
    fn tokens(&self) -> u64 {
        match self {
            Self::Text(text) => tokens(text.len()).max(1),
            Self::Tokens(tokens) => tokens.len() as u64,
        }
    }

    /// What the vector is made of: hashes with their weights. Parts of words count less than words.
    fn features(&self) -> Vec<(u64, f64)> {
        let text = match self {
            Self::Tokens(tokens) => {
                return tokens.iter().map(|token| (spread(*token ^ 0x70_6b65), 1.0)).collect();
            }
            Self::Text(text) => text.to_lowercase(),
        };
        let mut features = vec![(hash(&text), 0.2)];
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
            features.push((hash(word), 1.0));
            let letters: Vec<char> = word.chars().collect();
            for part in letters.windows(3) {
                features.push((hash(&part.iter().collect::<String>()) ^ 3, 0.3));
            }
        }
        features
    }
}

fn hash(text: &str) -> u64 {
    ids::hash(text.as_bytes())
}

/// The length of the model's vectors.
fn check_model(model: &str, options: &Options) -> Result<usize, ApiError> {
    if let Some((_, full, _)) = EMBEDDING_MODELS.iter().find(|(known, ..)| *known == model) {
        return Ok(*full);
    }
    options.check_model(model)?;
    if MODELS.contains(&super::models::base(model)) {
        let message = "You are not allowed to generate embeddings from this model";
        return Err(ApiError::invalid(message).status(403));
    }
    // A model that was added.
    Ok(1536)
}

fn dimensions(request: &Map<String, Value>, model: &str, full: usize) -> Result<usize, ApiError> {
    let Some(wanted) = request.get("dimensions").and_then(Value::as_u64) else { return Ok(full) };
    if EMBEDDING_MODELS.iter().any(|(known, _, shortens)| *known == model && !shortens) {
        return Err(ApiError::invalid("This model does not support specifying dimensions."));
    }
    match usize::try_from(wanted).ok().filter(|wanted| *wanted <= full) {
        Some(wanted) => Ok(wanted),
        None => Err(ApiError::invalid(format!(
            "Invalid value for 'dimensions' = {wanted}. Must be less than or equal to {full}."
        ))
        .param("dimensions")),
    }
}

/// The inputs of a request: one or several texts, or lists of tokens.
fn inputs(input: Option<&Value>) -> Result<Vec<Input<'_>>, ApiError> {
    let invalid = || {
        ApiError::invalid(
            "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
        )
    };
    let tokens = |list: &[Value]| -> Option<Vec<u64>> { list.iter().map(Value::as_u64).collect() };
    let list = match input {
        None | Some(Value::Null) => return Err(ApiError::missing("input")),
        Some(Value::String(text)) if text.is_empty() => return Err(invalid()),
        Some(Value::String(text)) => return Ok(vec![Input::Text(text)]),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(invalid()),
    };
    if list.is_empty() {
        return Err(invalid());
    }
    if list[0].is_number() {
        return Ok(vec![Input::Tokens(tokens(list).ok_or_else(invalid)?)]);
    }
    if list.len() > MAX_INPUTS {
        return Err(ApiError::long_array("input", MAX_INPUTS, list.len()));
    }
    list.iter()
        .map(|one| match one {
            Value::String(text) if !text.is_empty() => Some(Input::Text(text)),
            Value::Array(one) if !one.is_empty() => tokens(one).map(Input::Tokens),
            _ => None,
        })
        .collect::<Option<_>>()
        .ok_or_else(invalid)
}

/// A vector of the length 1. A shorter one is the beginning of the whole one, as with OpenAI.
#[expect(clippy::cast_possible_truncation, reason = "the provider's numbers are as precise")]
fn vector(features: &[(u64, f64)], full: usize, dimensions: usize) -> Vec<f32> {
    /// In how many places a feature shows.
    const PLACES: usize = 24;
    let mut all = vec![0.0_f64; full];
    for (hash, weight) in features {
        let mut state = *hash;
        for _ in 0..PLACES {
            state = mix(state);
            let sign = if state & 1 == 0 { 1.0 } else { -1.0 };
            let at = usize::try_from((state >> 1) % full as u64).unwrap_or(0);
            all[at] += sign * weight;
        }
    }
    all.truncate(dimensions);
    // No feature may show in the beginning.
    if all.iter().all(|x| *x == 0.0) {
        all[0] = 1.0;
    }
    let length = all.iter().map(|x| x * x).sum::<f64>().sqrt();
    all.into_iter().map(|x| (x / length) as f32).collect()
}

/// The numbers as bytes, the lowest first, in base64.
fn packed(vector: &[f32]) -> Value {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    Value::from(STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<f32> {
        vector(&Input::Text(text).features(), 1536, 1536)
    }

    fn near(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn texts_that_share_words_are_nearer_than_others() {
        let (a, b) = (of("How much is an iPhone screen?"), of("Price of iPhone screens"));
        let c = of("We open at nine on Mondays");
        assert!(near(&a, &b) > near(&a, &c) + 0.2, "{} {}", near(&a, &b), near(&a, &c));
        assert_eq!(of("the same"), of("the same"));
        assert!((near(&a, &a) - 1.0).abs() < 1e-4);
        assert_ne!(of("a"), of("b"));
        assert!(near(&of("?"), &of("?")) > 0.99, "a text without words has a vector");
    }

    #[test]
    fn a_shorter_vector_is_the_beginning_of_the_whole_one() {
        let features = Input::Text("an iPhone screen").features();
        let (whole, short) = (vector(&features, 1536, 1536), vector(&features, 1536, 256));
        let scale = short.iter().zip(&whole).find(|(_, w)| **w != 0.0).map(|(s, w)| s / w);
        let scale = scale.unwrap();
        assert!(short.iter().zip(&whole).all(|(s, w)| (s - w * scale).abs() < 1e-4));
        assert!((near(&short, &short) - 1.0).abs() < 1e-4);
    }
}
