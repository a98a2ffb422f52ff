//! The nearest known word to one that isn't known.

/// The candidate that a user most likely meant, or `None` when nothing is near enough
/// to be worth saying.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(score, _)| *score >= 0.84)
        .max_by(|(a, x), (b, y)| a.total_cmp(b).then_with(|| y.cmp(x)))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let keys = ["name", "channels", "dependencies", "variables"];
        assert_eq!(nearest("dependancies", keys), Some("dependencies"));
        assert_eq!(nearest("chanels", keys), Some("channels"));
        assert_eq!(nearest("zzz", keys), None);
    }
}
