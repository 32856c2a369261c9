#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::effects::Meaning;
use crate::effects::testing::{Answer, Fake};

fn call() -> Call {
    Call {
        operation: "DescribeBackupJob",
        method: "GET",
        path: "/backup-jobs/1f2e".to_owned(),
        headers: Vec::new(),
        body: String::new(),
    }
}

#[tokio::test]
async fn a_call_goes_to_its_service_and_is_signed_for_it() {
    let fake = Fake::new([Answer::json(200, r#"{"State": "COMPLETED"}"#)]);
    assert_eq!(fake.aws().backup().json(call()).await.unwrap(), serde_json::json!({"State": "COMPLETED"}));
    let requests = fake.requests();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(request.method, "GET");
    assert_eq!(request.uri, "https://backup.eu-west-1.amazonaws.com/backup-jobs/1f2e");
    let signature = request.header("authorization");
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=test/"), "{signature}");
    assert!(signature.contains("/eu-west-1/backup/aws4_request, SignedHeaders=host;x-amz-date"), "{signature}");
}

#[tokio::test]
async fn a_form_goes_in_and_xml_comes_out() {
    let body = "<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-1</groupId></item></securityGroupInfo>\
                </DescribeSecurityGroupsResponse>";
    let fake = Fake::new([Answer::xml(200, body)]);
    let parameters = [("Filter.1.Value.1".to_owned(), "a b&c=d".to_owned())];
    let answer = fake.aws().ec2().call("DescribeSecurityGroups", &parameters).await.unwrap();
    assert_eq!(answer.list("securityGroupInfo").map(|item| item.text("groupId")).collect::<Vec<_>>(), ["sg-1"]);
    let requests = fake.requests();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((&*request.method, &*request.uri), ("POST", "https://ec2.eu-west-1.amazonaws.com/"));
    assert_eq!(request.body, "Action=DescribeSecurityGroups&Version=2016-11-15&Filter.1.Value.1=a+b%26c%3Dd");
    assert_eq!(request.header("content-type"), "application/x-www-form-urlencoded; charset=utf-8");
    assert!(request.header("authorization").contains("SignedHeaders=content-type;host;x-amz-date"));
}

#[tokio::test]
async fn errors_are_read_in_the_form_of_each_protocol() {
    let ec2 = "<Response><Errors><Error><Code>DependencyViolation</Code><Message>in use</Message></Error></Errors>\
               <RequestID>1</RequestID></Response>";
    let query = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
                 <Message>Stack with id x does not exist</Message></Error></ErrorResponse>";
    for (answer, code, meaning) in [
        (Answer::xml(400, ec2), "DependencyViolation", Meaning::Refused),
        (Answer::xml(400, query), "ValidationError", Meaning::Missing),
        (Answer::xml(503, "<html>"), "", Meaning::Busy),
        (Answer::xml(200, "{}"), "", Meaning::Busy),
    ] {
        let failed = Fake::new([answer]).aws().ec2().call("DeleteSecurityGroup", &[]).await.unwrap_err();
        assert_eq!((&*failed.code, failed.error.meaning), (code, meaning));
    }
    let long = "com.amazonaws.backup#ResourceNotFoundException:http://internal.amazon.com/x";
    for (answer, code, meaning) in [
        (
            Answer::json(400, r#"{"message": "no"}"#).header("x-amzn-errortype", long),
            "ResourceNotFoundException",
            Meaning::Missing,
        ),
        (Answer::json(400, r#"{"__type": "a#LimitExceededException"}"#), "LimitExceededException", Meaning::Busy),
        (Answer::json(500, ""), "", Meaning::Busy),
        (Answer::json(403, r#"{"Code": "AccessDenied", "Message": "no"}"#), "AccessDenied", Meaning::Denied),
    ] {
        let failed = Fake::new([answer]).aws().backup().json(call()).await.unwrap_err();
        assert_eq!((&*failed.code, failed.error.meaning), (code, meaning));
    }
}

#[test]
fn a_service_is_where_its_region_is_or_where_one_says() {
    let at = |region: &str, endpoint: Option<&str>| {
        let config = SdkConfig::builder().region(aws_types::region::Region::new(region.to_owned())).build();
        Service::new(config, "ec2", endpoint).url
    };
    assert_eq!(at("eu-west-1", None), "https://ec2.eu-west-1.amazonaws.com");
    assert_eq!(at("cn-north-1", None), "https://ec2.cn-north-1.amazonaws.com.cn");
    assert_eq!(at("eu-west-1", Some("http://127.0.0.1:4566/")), "http://127.0.0.1:4566");
}
