use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::expression::{Expression, Item};
use super::wire::Answer;
use super::{Cloud, TABLE, text};
use crate::time;

type Key = (String, String);

/// The ledger's table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) items: BTreeMap<Key, Item>,
    /// Transactions of the last ten minutes by their token.
    tokens: BTreeMap<String, (Timestamp, String)>,
}

/// How long a transaction's token counts (TransactWriteItems, in the DynamoDB API reference).
const TOKEN: SignedDuration = SignedDuration::from_mins(10);

/// The most actions in one transaction.
const ACTIONS: usize = 100;

/// An item's limit in bytes.
const ITEM: usize = 400 * 1024;

/// The indexes with their keys. They are sparse: an item without the keys is not in them.
const INDEXES: [(&str, &str, &str); 2] = [("by-time", "gsi_pk", "gsi_sk"), ("by-due", "due_pk", "due_sk")];

/// Why a write is not made.
enum Stopped {
    /// The condition does not hold; the item, where it is asked for.
    Condition(Option<Item>),
    /// A problem of the test.
    Problem(String),
}

impl From<String> for Stopped {
    fn from(problem: String) -> Self {
        Self::Problem(problem)
    }
}

impl Table {
    /// The `body` of every item whose partition begins so and whose sort key is this.
    pub(crate) fn bodies(&self, partition: &str, sort: &str) -> Vec<String> {
        let items = self.items.iter().filter(|((pk, sk), _)| pk.starts_with(partition) && sk == sort);
        items.filter_map(|(_, item)| item["body"]["S"].as_str()).map(str::to_owned).collect()
    }

    /// When the sweep has something to do first.
    pub(crate) fn first_due(&self) -> Option<Timestamp> {
        let due = self.items.values().filter_map(|item| item.get("due_sk")?["S"].as_str());
        due.min().map(|due| due.split('#').next().unwrap().parse().unwrap())
    }

    pub(crate) fn put_body(&mut self, pk: &str, sk: &str, body: &Value) {
        let item = json!({"pk": {"S": pk}, "sk": {"S": sk}, "body": {"S": body.to_string()}});
        self.items.insert((pk.to_owned(), sk.to_owned()), item.as_object().unwrap().clone());
    }
}

impl Cloud {
    pub(super) fn dynamodb(&mut self, operation: &str, body: &Value) -> Result<Answer, String> {
        let ok = |body: Value| Ok(Answer::json(200, &body));
        match operation {
            "TransactWriteItems" => self.transact(body),
            "GetItem" => {
                the_table(body)?;
                let item = self.table.items.get(&key(&body["Key"])?);
                ok(item.map_or_else(|| json!({}), |item| json!({"Item": item})))
            }
            "Query" => self.query(body),
            "PutItem" | "UpdateItem" | "DeleteItem" => {
                let kind = operation.trim_end_matches("Item");
                match self.change(kind, body) {
                    Ok((key, Some(item))) => drop(self.table.items.insert(key, item)),
                    Ok((key, None)) => drop(self.table.items.remove(&key)),
                    Err(Stopped::Problem(problem)) => return Err(problem),
                    Err(Stopped::Condition(item)) => {
                        let mut said = json!({"__type": "ConditionalCheckFailedException",
                                              "message": "The conditional request failed"});
                        if let Some(item) = item {
                            said["Item"] = Value::Object(item);
                        }
                        return Ok(Answer::json(400, &said));
                    }
                }
                ok(json!({}))
            }
            other => Err(format!("{other} is not known here")),
        }
    }

    /// What an action makes of its item: the key, and the item or nothing.
    fn change(&self, kind: &str, action: &Value) -> Result<(Key, Option<Item>), Stopped> {
        the_table(action)?;
        let at = if kind == "Put" { &action["Item"] } else { &action["Key"] };
        let key = key(at)?;
        let before = self.table.items.get(&key);
        let nothing = Item::new();
        if let Some(condition) = action.get("ConditionExpression").and_then(Value::as_str) {
            let holds = Expression::new(condition, action).holds(before.unwrap_or(&nothing))?;
            if !holds && !self.sabotage.no_conditions {
                let wanted = action["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD";
                return Err(Stopped::Condition(before.filter(|_| wanted).cloned()));
            }
        }
        let after = match kind {
            "Put" => action["Item"].as_object().cloned(),
            "Delete" => None,
            "ConditionCheck" => before.cloned(),
            "Update" => {
                let mut item = before.cloned().unwrap_or_default();
                item.extend(action["Key"].as_object().cloned().unwrap_or_default());
                Some(Expression::new(text(action, "UpdateExpression")?, action).update(&item)?)
            }
            other => return Err(Stopped::Problem(format!("{other} is not known here"))),
        };
        if let Some(item) = &after
            && Value::Object(item.clone()).to_string().len() > ITEM
        {
            return Err(Stopped::Problem(format!("item {key:?} is too large")));
        }
        Ok((key, after))
    }

    fn transact(&mut self, body: &Value) -> Result<Answer, String> {
        let token = text(body, "ClientRequestToken")?.to_owned();
        let actions = body["TransactItems"].as_array().ok_or("there are no TransactItems")?;
        let (now, said) = (time::now(), body["TransactItems"].to_string());
        if let Some((since, before)) = self.table.tokens.get(&token)
            && now < *since + TOKEN
            && !self.sabotage.no_tokens
        {
            return match *before == said {
                true => Ok(Answer::json(200, &json!({}))),
                false => Err("the token of a transaction is used for another".to_owned()),
            };
        }
        if actions.len() > ACTIONS {
            return Err(format!("{} actions in one transaction", actions.len()));
        }
        let (mut changes, mut reasons, mut keys) = (Vec::new(), Vec::new(), BTreeSet::new());
        for action in actions {
            let (kind, action) = action.as_object().and_then(|action| action.iter().next()).ok_or("no action")?;
            match self.change(kind, action) {
                Ok((key, item)) => {
                    if !keys.insert(key.clone()) {
                        return Err(format!("two actions of one transaction on {key:?}"));
                    }
                    changes.push((key, item));
                    reasons.push(json!({"Code": "None"}));
                }
                Err(Stopped::Condition(item)) => {
                    let mut reason =
                        json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"});
                    if let Some(item) = item {
                        reason["Item"] = Value::Object(item);
                    }
                    reasons.push(reason);
                }
                Err(Stopped::Problem(problem)) => return Err(problem),
            }
        }
        if changes.len() < actions.len() {
            let said = json!({"__type": "TransactionCanceledException", "Message": "Transaction cancelled",
                              "CancellationReasons": reasons});
            return Ok(Answer::json(400, &said));
        }
        for (key, item) in changes {
            match item {
                Some(item) => drop(self.table.items.insert(key, item)),
                None => drop(self.table.items.remove(&key)),
            }
        }
        self.table.tokens.insert(token, (now, said));
        Ok(Answer::json(200, &json!({})))
    }

    fn query(&self, body: &Value) -> Result<Answer, String> {
        the_table(body)?;
        if body.get("FilterExpression").is_some() {
            return Err(format!("a filter is not known here: {body}"));
        }
        let (pk, sk) = match body.get("IndexName").and_then(Value::as_str) {
            None => ("pk", "sk"),
            Some(_) if body["ConsistentRead"] == true => return Err("an index is never consistent".to_owned()),
            Some(name) => {
                let index = INDEXES.iter().find(|(known, ..)| *known == name);
                let (_, pk, sk) = index.ok_or_else(|| format!("there is no index {name}"))?;
                (*pk, *sk)
            }
        };
        let condition = text(body, "KeyConditionExpression")?;
        if !condition.contains(pk) && !condition.contains('#') {
            return Err(format!("{condition} does not name the partition key {pk}"));
        }
        let mut found = Vec::new();
        for item in self.table.items.values().filter(|item| item.contains_key(pk) && item.contains_key(sk)) {
            if Expression::new(condition, body).holds(item)? {
                found.push(item);
            }
        }
        found.sort_by_key(|item| item[sk]["S"].as_str());
        if body["ScanIndexForward"] == false {
            found.reverse();
        }
        if let Some(start) = body.get("ExclusiveStartKey").and_then(Value::as_object) {
            let last = found.iter().position(|item| start.iter().all(|(name, value)| item.get(name) == Some(value)));
            found.drain(..=last.ok_or_else(|| format!("the page begins after {start:?}, which is not there"))?);
        }
        let limit = body["Limit"].as_u64().map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
        let mut answer = json!({});
        if found.len() > limit {
            found.truncate(limit);
            let last = found.last().ok_or("a page of nothing was asked for")?;
            for name in ["pk", "sk", pk, sk] {
                answer["LastEvaluatedKey"][name] = last[name].clone();
            }
        }
        answer["Count"] = json!(found.len());
        answer["Items"] = json!(found);
        Ok(Answer::json(200, &answer))
    }
}

fn the_table(body: &Value) -> Result<(), String> {
    let name = text(body, "TableName")?;
    if name == TABLE { Ok(()) } else { Err(format!("there is no table {name}")) }
}

fn key(item: &Value) -> Result<Key, String> {
    let part = |name: &str| {
        let value = item[name]["S"].as_str().filter(|value| !value.is_empty());
        value.map(str::to_owned).ok_or_else(|| format!("the key has no {name}: {item}"))
    };
    Ok((part("pk")?, part("sk")?))
}
