use statemachine::definition::{JobSecurity, SecurityText};

use super::*;

fn secured() -> Deployment {
    let jobs = JobSecurity::parse(SecurityText {
        subnets: Some("subnet-a,subnet-b"),
        security_groups: Some("sg-a"),
        volume_key: Some("arn:aws:kms:eu-west-1:123456789012:key/11111111-1111-1111-1111-111111111111"),
        output_key: Some("arn:aws:kms:eu-west-1:123456789012:key/22222222-2222-2222-2222-222222222222"),
    });
    Deployment { jobs: jobs.unwrap(), ..deployment() }
}

#[tokio::test]
async fn e10_changed_settings_are_a_change_of_the_pipeline() {
    let before = prepare(&files(CONFIG), &deployment()).unwrap();
    let answers = || {
        [
            records(&[]),
            uploaded(&before),
            ok(&described(&before)),
            listed(&["tumours.nightly"]),
            ok(&known_schedule(&before)),
        ]
    };
    let planned = async |deployment: &Deployment| {
        let fake = Fake::new(answers());
        let aws = fake.aws();
        plan(&aws, &Ledger::new(aws.dynamodb(), "tidegate"), deployment, &files(CONFIG)).await.unwrap()
    };
    assert!(planned(&deployment()).await.is_empty());
    let plan = planned(&secured()).await;
    let changed: Vec<_> = plan.changes.iter().filter(|change| change.action != Action::Keep).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!((changed[0].action, &*changed[0].what), (Action::Update, "pipeline `tumours`"));
    assert_eq!(changed[0].details, ["definition"]);
    let (before, after) = (plan.definition_before.unwrap(), plan.definition_after);
    assert!(!before.contains("VpcConfig") && after.contains("VpcConfig"));

    // And the apply sends it.
    let fake = Fake::new(answers().into_iter().chain([ok(&json!({"PipelineArn": ARN})), ok(&json!({}))]));
    let aws = fake.aws();
    let ledger = Ledger::new(aws.dynamodb(), "tidegate");
    apply(&aws, &ledger, &secured(), &files(CONFIG), &|_| {}).await.unwrap();
    let updated = &fake.requests()[5];
    assert_eq!(updated.target(), "SageMaker.UpdatePipeline");
    assert_eq!(updated.json()["PipelineDefinition"], after);
    let settings = prepare(&files(CONFIG), &secured()).unwrap();
    assert_eq!(record(&fake).spec.definition, settings.definition.sha256);
}
