//! Finds a package that conda knows under another name than PyPI or Python's `import`.

use crate::ChannelsByPackage;

/// Names of PyPI or of Python modules, with the names on conda-forge.
const NAMES: [(&str, &str); 41] = [
    ("attr", "attrs"),
    ("bs4", "beautifulsoup4"),
    ("build", "python-build"),
    ("crypto", "pycryptodome"),
    ("cv2", "opencv"),
    ("dateutil", "python-dateutil"),
    ("discord", "discord.py"),
    ("docker", "docker-py"),
    ("dotenv", "python-dotenv"),
    ("faiss", "faiss-cpu"),
    ("faiss-gpu-cu12", "faiss-gpu"),
    ("git", "gitpython"),
    ("jwt", "pyjwt"),
    ("levenshtein", "python-levenshtein"),
    ("magic", "python-magic"),
    ("msgpack", "msgpack-python"),
    ("mysql-connector", "mysql-connector-python"),
    ("opencv-contrib-python", "opencv"),
    ("opencv-contrib-python-headless", "opencv"),
    ("opencv-python", "opencv"),
    ("opencv-python-headless", "opencv"),
    ("pil", "pillow"),
    ("psycopg2-binary", "psycopg2"),
    ("pyqt5", "pyqt"),
    ("rdkit-pypi", "rdkit"),
    ("ruamel-yaml", "ruamel.yaml"),
    ("serial", "pyserial"),
    ("skimage", "scikit-image"),
    ("sklearn", "scikit-learn"),
    ("tables", "pytables"),
    ("tensorflow-cpu", "tensorflow"),
    ("torch", "pytorch"),
    ("torch-cluster", "pytorch_cluster"),
    ("torch-geometric", "pytorch_geometric"),
    ("torch-scatter", "pytorch_scatter"),
    ("torch-sparse", "pytorch_sparse"),
    ("torch-spline-conv", "pytorch_spline_conv"),
    ("usb", "pyusb"),
    ("win32api", "pywin32"),
    ("yaml", "pyyaml"),
    ("zmq", "pyzmq"),
];

/// Returns the name under which the channels have the package `name`, if they have it under
/// another one.
pub(super) fn other_name<'n>(name: &str, known: &'n ChannelsByPackage) -> Option<&'n str> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '.'], "-");
    let name = plain(name);
    let mut listed = NAMES.iter().filter(|(other, _)| *other == name).map(|(_, conda)| *conda);
    let find = |other: &str| known.get_key_value(other).map(|(name, _)| name.as_str());
    listed
        .find_map(find)
        .or_else(|| known.keys().map(String::as_str).find(|other| plain(other) == name))
        .or_else(|| find(&format!("python-{name}")))
        .or_else(|| find(&format!("{name}-python")))
        .or_else(|| find(&format!("py{name}")))
        .filter(|other| *other != name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_pypi_finds_the_name_of_conda() {
        let names = ["pytorch", "torchgeo", "opencv", "python-kaleido", "ruamel.yaml", "pyzmq"];
        let known: ChannelsByPackage =
            names.into_iter().map(|name| (name.to_owned(), vec![0])).collect();
        for (name, found) in [
            ("torch", Some("pytorch")),
            ("Torch", Some("pytorch")),
            ("opencv-python", Some("opencv")),
            ("kaleido", Some("python-kaleido")),
            ("ruamel_yaml", Some("ruamel.yaml")),
            ("zmq", Some("pyzmq")),
            ("sklearn", None),
            ("torchgeo-extra", None),
        ] {
            assert_eq!(other_name(name, &known), found, "{name}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_has_no_name_twice() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
