//! Reads TOML with numbers as the text that the file holds.

use toml::de::{DeTable, DeValue};

/// The value at a path of names.
pub fn at<'v, 't>(table: &'v DeTable<'t>, path: &[&str]) -> Option<&'v DeValue<'t>> {
    let (first, rest) = path.split_first()?;
    let value = table.iter().find(|(key, _)| key.get_ref() == first)?.1.get_ref();
    if rest.is_empty() { Some(value) } else { at(value.as_table()?, rest) }
}

/// A text, or the digits of a number.
pub fn text(table: &DeTable<'_>, path: &[&str]) -> Option<String> {
    let value = at(table, path)?;
    let digits = value
        .as_integer()
        .map(|number| number.as_str())
        .or_else(|| value.as_float().map(|number| number.as_str()));
    value.as_str().or(digits).map(str::to_owned).or_else(|| value.as_datetime().map(ToString::to_string))
}

/// A truth value.
pub fn flag(table: &DeTable<'_>, path: &[&str]) -> Option<bool> {
    at(table, path)?.as_bool()
}

/// A whole number above zero.
pub fn count(table: &DeTable<'_>, path: &[&str]) -> Option<u64> {
    text(table, path)?.replace('_', "").parse().ok().filter(|count| *count > 0)
}

/// The texts of a list.
pub fn texts(table: &DeTable<'_>, path: &[&str]) -> Vec<String> {
    let list = at(table, path).and_then(DeValue::as_array);
    list.map(|list| list.iter().filter_map(|one| one.get_ref().as_str().map(str::to_owned)).collect())
        .unwrap_or_default()
}

/// The tables of an array of tables.
pub fn tables<'v, 't>(table: &'v DeTable<'t>, path: &[&str]) -> Vec<&'v DeTable<'t>> {
    let list = at(table, path).and_then(DeValue::as_array);
    list.map(|list| list.iter().filter_map(|one| one.get_ref().as_table()).collect()).unwrap_or_default()
}
