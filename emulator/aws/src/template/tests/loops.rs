//! `Fn::ForEach`: what AWS refuses, and what no template needs.

use super::*;

const TRANSFORM: &str = "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\n";

#[test]
fn a_loop_without_its_transform_is_refused() {
    let text = "Transform: AWS::Serverless-2016-10-31
Resources:
  Fn::ForEach::Functions:
    - Name
    - [A, B]
    - 'F${Name}': { Type: AWS::Serverless::Function }
";
    assert_error(read(text), 3, "only with `Transform: AWS::LanguageExtensions`");
    let (_, rest) = text.split_once('\n').unwrap();
    assert_eq!(read(&format!("{TRANSFORM}{rest}")).unwrap().functions.len(), 2);
}

#[test]
fn a_loop_over_a_parameter_without_a_value_is_refused() {
    let text = format!(
        "{TRANSFORM}Parameters: {{ Names: {{ Type: CommaDelimitedList }} }}
Resources:
  Fn::ForEach::Functions:
    - Name
    - !Ref Names
    - 'F${{Name}}': {{ Type: AWS::Serverless::Function }}
"
    );
    assert_error(read(&text), 6, "parameter `Names` has no value");
}

#[test]
fn loops_of_values_that_are_no_text_have_an_end() {
    let numbers = |count: usize| vec!["0"; count].join(",");
    let names = (0..60).map(|n| format!("N{n}")).collect::<Vec<_>>().join(",");
    let text = format!(
        "{TRANSFORM}Resources:
  Fn::ForEach::A: [A, [{names}], {{ 'Fn::ForEach::B': [B, [{names}], {{ 'K${{A}}${{B}}': [{}] }}] }}]
",
        numbers(300)
    );
    assert_error(read(&text), 3, "1000000 values");
}

#[test]
fn the_text_of_a_loop_is_measured_before_it_is_made() {
    // A gigabyte.
    let text = format!(
        "{TRANSFORM}Resources:
  Fn::ForEach::A:
    - A
    - [{}]
    - K: '{}'
",
        "x".repeat(50_000),
        "${A}".repeat(20_000)
    );
    assert_error(read(&text), 6, "8388608 bytes of text");
}
