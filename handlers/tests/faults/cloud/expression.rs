//! DynamoDB's expressions, as far as the ledger uses them: conditions joined by AND and OR, and updates that SET, REMOVE
//! and ADD.

use serde_json::{Map, Value, json};

/// An item: attributes with their types, as on the wire.
pub(crate) type Item = Map<String, Value>;

/// An expression with what its placeholders stand for.
pub(crate) struct Expression<'e> {
    tokens: Vec<&'e str>,
    place: usize,
    names: &'e Value,
    values: &'e Value,
}

type Parsed<T> = Result<T, String>;

impl<'e> Expression<'e> {
    /// `around` is the request, or the part of it, that holds the placeholders.
    pub(crate) fn new(text: &'e str, around: &'e Value) -> Self {
        let (names, values) = (&around["ExpressionAttributeNames"], &around["ExpressionAttributeValues"]);
        Self { tokens: tokens(text), place: 0, names, values }
    }

    fn peek(&self) -> Option<&'e str> {
        self.tokens.get(self.place).copied()
    }

    fn next(&mut self) -> Parsed<&'e str> {
        let token = self.peek().ok_or_else(|| format!("the expression {:?} ends too early", self.tokens))?;
        self.place += 1;
        Ok(token)
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.peek().is_some_and(|next| next.eq_ignore_ascii_case(token));
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        let found = self.peek().unwrap_or("nothing");
        if self.take(token) { Ok(()) } else { Err(format!("{found} instead of {token} in {:?}", self.tokens)) }
    }

    fn end(&self) -> Parsed<()> {
        match self.peek() {
            None => Ok(()),
            Some(token) => Err(format!("{token} is not known here in {:?}", self.tokens)),
        }
    }

    fn name(&mut self) -> Parsed<String> {
        let token = self.next()?;
        if let Some(name) = token.strip_prefix('#') {
            let name = self.names.get(format!("#{name}")).and_then(Value::as_str);
            return name.map(str::to_owned).ok_or_else(|| format!("{token} stands for nothing"));
        }
        let good = token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if good { Ok(token.to_owned()) } else { Err(format!("{token} is no name in {:?}", self.tokens)) }
    }

    fn value(&mut self) -> Parsed<Value> {
        let token = self.next()?;
        let value = self.values.get(token).filter(|_| token.starts_with(':'));
        value.cloned().ok_or_else(|| format!("{token} stands for nothing in {:?}", self.tokens))
    }

    /// Whether the condition holds of the item; an item that is not there has no attributes.
    pub(crate) fn holds(mut self, item: &Item) -> Parsed<bool> {
        let holds = self.any(item)?;
        self.end()?;
        Ok(holds)
    }

    fn any(&mut self, item: &Item) -> Parsed<bool> {
        let mut holds = self.all(item)?;
        while self.take("OR") {
            holds |= self.all(item)?;
        }
        Ok(holds)
    }

    fn all(&mut self, item: &Item) -> Parsed<bool> {
        let mut holds = self.one(item)?;
        while self.take("AND") {
            holds &= self.one(item)?;
        }
        Ok(holds)
    }

    fn one(&mut self, item: &Item) -> Parsed<bool> {
        if self.take("(") {
            let holds = self.any(item)?;
            self.expect(")")?;
            return Ok(holds);
        }
        if self.take("attribute_not_exists") {
            return Ok(!self.in_brackets(item)?);
        }
        if self.take("attribute_exists") {
            return self.in_brackets(item);
        }
        if self.take("begins_with") {
            self.expect("(")?;
            let name = self.name()?;
            self.expect(",")?;
            let prefix = self.value()?;
            self.expect(")")?;
            let (text, prefix) = (item.get(&name).and_then(|value| value["S"].as_str()), prefix["S"].as_str());
            return Ok(text.zip(prefix).is_some_and(|(text, prefix)| text.starts_with(prefix)));
        }
        let name = self.name()?;
        if self.take("BETWEEN") {
            let low = self.value()?;
            self.expect("AND")?;
            let high = self.value()?;
            let Some(found) = item.get(&name) else { return Ok(false) };
            return Ok(order(found, &low)?.is_ge() && order(found, &high)?.is_le());
        }
        let comparison = self.next()?;
        let value = self.value()?;
        let Some(found) = item.get(&name) else { return Ok(comparison == "<>") };
        let order = order(found, &value)?;
        match comparison {
            "=" => Ok(order.is_eq()),
            "<>" => Ok(order.is_ne()),
            "<" => Ok(order.is_lt()),
            "<=" => Ok(order.is_le()),
            ">" => Ok(order.is_gt()),
            ">=" => Ok(order.is_ge()),
            other => Err(format!("{other} is not known here in {:?}", self.tokens)),
        }
    }

    fn in_brackets(&mut self, item: &Item) -> Parsed<bool> {
        self.expect("(")?;
        let name = self.name()?;
        self.expect(")")?;
        Ok(item.contains_key(&name))
    }

    /// The item after an update.
    pub(crate) fn update(mut self, before: &Item) -> Parsed<Item> {
        let mut item = before.clone();
        while self.peek().is_some() {
            let verb = self.next()?.to_ascii_uppercase();
            loop {
                let name = self.name()?;
                match verb.as_str() {
                    "SET" => {
                        self.expect("=")?;
                        let value = self.operand(before)?;
                        item.insert(name, value);
                    }
                    "REMOVE" => drop(item.remove(&name)),
                    "ADD" => {
                        let sum = number(before.get(&name).unwrap_or(&json!({"N": "0"})))? + number(&self.value()?)?;
                        item.insert(name, json!({"N": sum.to_string()}));
                    }
                    other => return Err(format!("{other} is not known here in {:?}", self.tokens)),
                }
                if !self.take(",") {
                    break;
                }
            }
        }
        Ok(item)
    }

    fn operand(&mut self, before: &Item) -> Parsed<Value> {
        if !self.take("if_not_exists") {
            return self.value();
        }
        self.expect("(")?;
        let name = self.name()?;
        self.expect(",")?;
        let otherwise = self.value()?;
        self.expect(")")?;
        Ok(before.get(&name).cloned().unwrap_or(otherwise))
    }
}

fn number(value: &Value) -> Parsed<i128> {
    let digits = value["N"].as_str().ok_or_else(|| format!("{value} is no number"))?;
    digits.parse().map_err(|error| format!("{digits}: {error}"))
}

fn order(one: &Value, other: &Value) -> Parsed<std::cmp::Ordering> {
    match (one["S"].as_str(), other["S"].as_str()) {
        (Some(one), Some(other)) => Ok(one.as_bytes().cmp(other.as_bytes())),
        (None, None) => Ok(number(one)?.cmp(&number(other)?)),
        _ => Err(format!("{one} and {other} are of two types")),
    }
}

fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '(' | ')' | ',' => 1,
            '=' | '<' | '>' => rest.find(|c| !matches!(c, '=' | '<' | '>')).unwrap_or(rest.len()),
            _ => rest.find(|c: char| c.is_whitespace() || "(),=<>".contains(c)).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(end);
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

#[test]
fn the_ledgers_expressions_are_understood_and_others_refused() {
    let around = json!({"ExpressionAttributeNames": {"#v": "version"},
                        "ExpressionAttributeValues": {":one": {"N": "1"}, ":two": {"N": "2"}, ":a": {"S": "a"}}});
    let item = json!({"pk": {"S": "abc"}, "version": {"N": "1"}}).as_object().unwrap().clone();
    for (text, expected) in [
        ("attribute_not_exists(pk)", false),
        ("attribute_exists(pk) AND version = :one", true),
        ("#v = :two OR begins_with(pk, :a)", true),
        ("(#v = :two OR version<:one) AND begins_with(pk, :a)", false),
        ("version BETWEEN :one AND :two", true),
        ("missing = :one", false),
        ("missing <> :one", true),
    ] {
        assert_eq!(Expression::new(text, &around).holds(&item), Ok(expected), "{text}");
    }
    for text in ["", "size(pk) > :one", "version = :three", "NOT version = :one", "pk = :one", "version = :one pk"] {
        assert!(Expression::new(text, &around).holds(&item).is_err(), "{text}");
    }
    let text = "SET kind = :a, pk = if_not_exists(pk, :a), other = if_not_exists(other, :two) REMOVE gone ADD n :two";
    let updated = Expression::new(text, &around).update(&item).unwrap();
    let expected = json!({"pk": {"S": "abc"}, "version": {"N": "1"}, "kind": {"S": "a"}, "other": {"N": "2"},
                          "n": {"N": "2"}});
    assert_eq!(Value::Object(updated), expected);
}
