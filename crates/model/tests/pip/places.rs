//! Tests of the places of findings in YAML and in included files.

use super::{codes, inputs, read, section};

fn places(pip: &str) -> Vec<String> {
    let (_, findings) = inputs(read(&format!("dependencies:\n- pip\n- pip:\n{pip}"), &[]));
    codes(&findings).into_iter().map(|code| code.replace("environment.yml:", "")).collect()
}

#[test]
fn a_mistake_in_a_plain_or_quoted_scalar_has_its_column() {
    assert_eq!(places("  - numpy=1.2\n"), ["4:10 pip-requirement"]);
    assert_eq!(places("  - 'numpy=1.2'\n"), ["4:11 pip-requirement"]);
    assert_eq!(places("  - \"numpy=1.2\"\n"), ["4:11 pip-requirement"]);
    assert_eq!(places("  - 'a; python_version < ''3'' y'\n"), ["4:32 pip-requirement"]);
    assert_eq!(places("  - \"a; python_version < \\\"3\\\" y\"\n"), ["4:32 pip-requirement"]);
    assert_eq!(places("  - \"\\u0061\\x62=1\"\n"), ["4:16 pip-requirement"]);
    assert_eq!(places("  - [numpy=1.2]\n"), ["4:5 wrong-type"]);
    let text = "dependencies: [pip, {pip: [a, 'b=1']}]\n";
    assert_eq!(codes(&inputs(read(text, &[])).1), ["environment.yml:1:33 pip-requirement"]);
}

#[test]
fn a_mistake_in_a_block_or_folded_scalar_has_its_line_and_column() {
    assert_eq!(
        places("  - |\n    requests\n    # a=1\n\n    numpy=1.2\n"),
        ["8:10 pip-requirement"]
    );
    assert_eq!(places("  - |2\n      numpy \\\n        =1.2\n"), ["6:9 pip-requirement"]);
    assert_eq!(places("  - >\n    numpy\n    =1.2\n"), ["6:5 pip-requirement"]);
    assert_eq!(places("  - numpy\n    =1.2\n"), ["5:5 pip-requirement"]);
    assert_eq!(places("  - 'numpy\n\n      =1.2'\n"), ["6:7 pip-requirement"]);
    assert_eq!(places("  - \"numpy\\\n     =1.2\"\n"), ["5:6 pip-requirement"]);
    assert_eq!(places("  - \"a\\nb=1\"\n"), ["4:10 pip-requirement"]);
}

#[test]
fn columns_count_characters_in_chinese_text() {
    assert_eq!(places("  - 数据\n"), ["4:5 pip-requirement"]);
    assert_eq!(places("  - '数据'\n"), ["4:6 pip-requirement"]);
    assert_eq!(places("  - \"./数据/包\\\\x\"\n"), ["4:12 pip-requirement"]);
    assert_eq!(places("  - numpy＝＝1.0  # 说明\n"), ["4:10 pip-requirement"]);
    let files = [("要求.txt", "# 说明\nrequests  # 说明\n./数据/${X}\n")];
    let (_, findings) = inputs(section(&["-r 要求.txt"], &files));
    assert_eq!(codes(&findings), ["要求.txt:3:6 pip-variable"]);
}

#[test]
fn a_mistake_after_a_continuation_has_the_line_where_it_stands() {
    let files =
        [("r.txt", "numpy \\\n  # [not] a comment of its own\n\nfoo==1 \\\r\n  --hash=md5:0\r\n")];
    let (_, findings) = inputs(section(&["-r r.txt"], &files));
    assert_eq!(codes(&findings), ["r.txt:5:10 pip-hash"]);
    assert_eq!(places("  - numpy \\\n"), ["4:5 pip-requirement"]);
}

#[test]
fn an_alias_has_its_own_place() {
    let text = "dependencies:\n- pip\n- pip: [&a numpy==1]\n- pip: [*a, b=1]\n";
    let (_, findings) = inputs(read(text, &[]));
    assert_eq!(
        codes(&findings),
        ["environment.yml:4:9 duplicate-dependency", "environment.yml:4:14 pip-requirement"]
    );
}

#[test]
fn a_selector_in_a_comment_of_a_line_selects_it_and_one_in_a_file_does_not() {
    let block = "  - |\n    a\n    b  # [win]\n  - 'c  # [win]'\n  - d  # [win]\n";
    let environment = read(&format!("dependencies:\n- pip\n- pip:\n{block}"), &[]).unwrap();
    let selected: Vec<_> = environment.pip.iter().map(|line| line.selector.is_some()).collect();
    assert_eq!(selected, [false, true, true, true]);
    let included = section(&["-r r.txt"], &[("r.txt", "a  # [win]\n")]).unwrap();
    assert!(included.pip[0].selector.is_none());
    assert_eq!(places("  - |\n    a\n    b  # [linx]\n"), ["6:8 invalid-selector"]);
}
