//! What `Ref` and `GetAtt` give for resources, by type, as CloudFormation documents it.
//!
//! `{name}` is the resource's own name, or its logical id; `{id}` the logical id in lower case; `{digits}` twelve
//! hexadecimal digits that depend on the logical id alone.

/// A type: the property with its name, the value of `Ref`, and those of `GetAtt`.
pub(super) struct Kind {
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) reference: &'static str,
    pub(super) attributes: &'static [(&'static str, &'static str)],
}

/// The row of a type.
pub(super) fn kind(kind: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|row| row.kind == kind)
}

const fn row(
    kind: &'static str,
    name: &'static str,
    reference: &'static str,
    attributes: &'static [(&'static str, &'static str)],
) -> Kind {
    Kind { kind, name, reference, attributes }
}

/// Twelve hexadecimal digits of a logical id.
pub(super) fn digits(id: &str) -> String {
    // FNV-1a: the same on every machine and in every version.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:012x}", hash & 0xffff_ffff_ffff)
}

const UUID: &str = "00000000-0000-4000-8000-{digits}";
const STATE_MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:{name}";
const POOL: &str = "us-east-1_{digits}";

const KINDS: &[Kind] = &[
    row(
        "AWS::SQS::Queue",
        "QueueName",
        "https://sqs.us-east-1.amazonaws.com/123456789012/{name}",
        &[
            ("Arn", "arn:aws:sqs:us-east-1:123456789012:{name}"),
            ("QueueName", "{name}"),
            ("QueueUrl", "https://sqs.us-east-1.amazonaws.com/123456789012/{name}"),
        ],
    ),
    row(
        "AWS::SNS::Topic",
        "TopicName",
        "arn:aws:sns:us-east-1:123456789012:{name}",
        &[("TopicArn", "arn:aws:sns:us-east-1:123456789012:{name}"), ("TopicName", "{name}")],
    ),
    row(
        "AWS::SecretsManager::Secret",
        "Name",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-AbCdEf",
        &[("Id", "arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-AbCdEf")],
    ),
    row(
        "AWS::StepFunctions::StateMachine",
        "StateMachineName",
        STATE_MACHINE,
        &[("Arn", STATE_MACHINE), ("Name", "{name}")],
    ),
    row(
        "AWS::Serverless::StateMachine",
        "Name",
        STATE_MACHINE,
        &[("Arn", STATE_MACHINE), ("Name", "{name}")],
    ),
    row(
        "AWS::S3::Bucket",
        "BucketName",
        "{name}",
        &[
            ("Arn", "arn:aws:s3:::{name}"),
            ("DomainName", "{name}.s3.amazonaws.com"),
            ("DualStackDomainName", "{name}.s3.dualstack.us-east-1.amazonaws.com"),
            ("RegionalDomainName", "{name}.s3.us-east-1.amazonaws.com"),
            ("WebsiteURL", "http://{name}.s3-website-us-east-1.amazonaws.com"),
        ],
    ),
    row(
        "AWS::Kinesis::Stream",
        "Name",
        "{name}",
        &[("Arn", "arn:aws:kinesis:us-east-1:123456789012:stream/{name}")],
    ),
    row(
        "AWS::KinesisFirehose::DeliveryStream",
        "DeliveryStreamName",
        "{name}",
        &[("Arn", "arn:aws:firehose:us-east-1:123456789012:deliverystream/{name}")],
    ),
    row(
        "AWS::Cognito::UserPool",
        "",
        POOL,
        &[
            ("Arn", "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_{digits}"),
            ("ProviderName", "cognito-idp.us-east-1.amazonaws.com/us-east-1_{digits}"),
            ("ProviderURL", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_{digits}"),
            ("UserPoolId", POOL),
        ],
    ),
    row("AWS::Cognito::UserPoolClient", "", "{digits}", &[("ClientId", "{digits}")]),
    row("AWS::Cognito::IdentityPool", "", "us-east-1:00000000-0000-4000-8000-{digits}", &[]),
    row("AWS::Cognito::UserPoolDomain", "Domain", "{name}", &[]),
    row(
        "AWS::Logs::LogGroup",
        "LogGroupName",
        "{name}",
        &[("Arn", "arn:aws:logs:us-east-1:123456789012:log-group:{name}:*")],
    ),
    row("AWS::SSM::Parameter", "Name", "{name}", &[]),
    row(
        "AWS::IAM::Role",
        "RoleName",
        "{name}",
        &[("Arn", "arn:aws:iam::123456789012:role/{name}"), ("RoleId", "AROA{digits}")],
    ),
    row(
        "AWS::IAM::ManagedPolicy",
        "ManagedPolicyName",
        "arn:aws:iam::123456789012:policy/{name}",
        &[("PolicyArn", "arn:aws:iam::123456789012:policy/{name}")],
    ),
    row("AWS::IAM::Policy", "PolicyName", "{name}", &[]),
    row(
        "AWS::IAM::User",
        "UserName",
        "{name}",
        &[("Arn", "arn:aws:iam::123456789012:user/{name}")],
    ),
    row(
        "AWS::KMS::Key",
        "",
        UUID,
        &[
            ("Arn", "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-{digits}"),
            ("KeyId", UUID),
        ],
    ),
    row("AWS::KMS::Alias", "AliasName", "{name}", &[]),
    row(
        "AWS::Events::EventBus",
        "Name",
        "{name}",
        &[("Arn", "arn:aws:events:us-east-1:123456789012:event-bus/{name}"), ("Name", "{name}")],
    ),
    row(
        "AWS::Events::Rule",
        "Name",
        "{name}",
        &[("Arn", "arn:aws:events:us-east-1:123456789012:rule/{name}")],
    ),
    row(
        "AWS::Scheduler::Schedule",
        "Name",
        "{name}",
        &[("Arn", "arn:aws:scheduler:us-east-1:123456789012:schedule/default/{name}")],
    ),
    row(
        "AWS::Scheduler::ScheduleGroup",
        "Name",
        "{name}",
        &[("Arn", "arn:aws:scheduler:us-east-1:123456789012:schedule-group/{name}")],
    ),
    row("AWS::Lambda::EventSourceMapping", "", UUID, &[("Id", UUID)]),
    row("AWS::Lambda::Permission", "", "rehearse-{name}", &[]),
    row(
        "AWS::Lambda::LayerVersion",
        "LayerName",
        "arn:aws:lambda:us-east-1:123456789012:layer:{name}:1",
        &[("LayerVersionArn", "arn:aws:lambda:us-east-1:123456789012:layer:{name}:1")],
    ),
    row(
        "AWS::Serverless::LayerVersion",
        "LayerName",
        "arn:aws:lambda:us-east-1:123456789012:layer:{name}:1",
        &[("LayerVersionArn", "arn:aws:lambda:us-east-1:123456789012:layer:{name}:1")],
    ),
    row("AWS::ApiGateway::Deployment", "", "{digits}", &[("DeploymentId", "{digits}")]),
    row("AWS::ApiGateway::Stage", "StageName", "{name}", &[]),
    row("AWS::ApiGateway::Resource", "", "{id}", &[("ResourceId", "{id}")]),
    row("AWS::ApiGateway::ApiKey", "", "{digits}", &[("APIKeyId", "{digits}")]),
    row("AWS::ApiGateway::UsagePlan", "", "{digits}", &[("Id", "{digits}")]),
    row("AWS::ApiGateway::Authorizer", "", "{digits}", &[("AuthorizerId", "{digits}")]),
    row("AWS::ApiGatewayV2::Deployment", "", "{digits}", &[("DeploymentId", "{digits}")]),
    row("AWS::ApiGatewayV2::Stage", "StageName", "{name}", &[]),
    row("AWS::ApiGatewayV2::Route", "", "{digits}", &[("RouteId", "{digits}")]),
    row("AWS::ApiGatewayV2::Integration", "", "{id}", &[("IntegrationId", "{id}")]),
    row("AWS::ApiGatewayV2::Authorizer", "", "{digits}", &[("AuthorizerId", "{digits}")]),
    row(
        "AWS::AppSync::GraphQLApi",
        "",
        "arn:aws:appsync:us-east-1:123456789012:apis/{digits}",
        &[
            ("ApiId", "{digits}"),
            ("Arn", "arn:aws:appsync:us-east-1:123456789012:apis/{digits}"),
            ("GraphQLUrl", "https://{digits}.appsync-api.us-east-1.amazonaws.com/graphql"),
        ],
    ),
    row(
        "AWS::CertificateManager::Certificate",
        "",
        "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-4000-8000-{digits}",
        &[],
    ),
    row(
        "AWS::CloudFront::Distribution",
        "",
        "E{digits}",
        &[("DomainName", "d{digits}.cloudfront.net"), ("Id", "E{digits}")],
    ),
    row("AWS::EC2::VPC", "", "vpc-{digits}", &[("VpcId", "vpc-{digits}")]),
    row("AWS::EC2::Subnet", "", "subnet-{digits}", &[("SubnetId", "subnet-{digits}")]),
    row(
        "AWS::EC2::SecurityGroup",
        "",
        "sg-{digits}",
        &[("GroupId", "sg-{digits}"), ("Id", "sg-{digits}")],
    ),
    row(
        "AWS::ECR::Repository",
        "RepositoryName",
        "{name}",
        &[
            ("Arn", "arn:aws:ecr:us-east-1:123456789012:repository/{name}"),
            ("RepositoryUri", "123456789012.dkr.ecr.us-east-1.amazonaws.com/{name}"),
        ],
    ),
    row(
        "AWS::ECS::Cluster",
        "ClusterName",
        "{name}",
        &[("Arn", "arn:aws:ecs:us-east-1:123456789012:cluster/{name}")],
    ),
    row("AWS::EFS::FileSystem", "", "fs-{digits}", &[("FileSystemId", "fs-{digits}")]),
    row(
        "AWS::EFS::AccessPoint",
        "",
        "fsap-{digits}",
        &[("Arn", "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-{digits}")],
    ),
    row(
        "AWS::CloudFormation::Stack",
        "",
        "arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/00000000-0000-4000-8000-{digits}",
        &[],
    ),
];
