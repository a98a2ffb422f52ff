//! Generates many packages with many files, for tests of interruption and for benchmarks.

use std::io;

use envlock_depot::{BuiltPackage, Channel, Format, Package};

/// Adds packages of mostly Python sources, with some libraries, data and headers. The first two of
/// 40 files contain the prefix, in text and in binary; every tenth archive is a `.tar.bz2`. The
/// same arguments give the same bytes.
pub(crate) fn add(
    channel: &mut Channel,
    packages: usize,
    files: usize,
) -> io::Result<BuiltPackage> {
    let mut random = Random(7);
    for number in 0..packages {
        let package = package(number, files, &mut random);
        let format = if number % 10 == 9 { Format::TarBz2 } else { Format::Conda };
        channel.add(&package, format)?;
    }
    let all = Package::new("synth-all", "1.0")
        .depends((0..packages).map(name))
        .file("share/synth-all/README", "all\n");
    channel.add(&all, Format::Conda)
}

fn name(number: usize) -> String {
    format!("synth-{number:03}")
}

fn package(number: usize, files: usize, random: &mut Random) -> Package {
    let earlier = (0..3).filter(|_| number > 0).map(|_| random.below(number));
    let earlier: std::collections::BTreeSet<_> = earlier.collect();
    let package = Package::new(name(number), format!("1.0.{}", number % 7))
        .build(format!("h{:07x}_0", random.next() & 0x0fff_ffff))
        .depends(earlier.into_iter().map(|number| name(number) + " >=1.0"));
    (0..files).fold(package, |package, file| with_file(package, number, file, random))
}

fn with_file(package: Package, number: usize, file: usize, random: &mut Random) -> Package {
    // From 256 bytes to 16 KiB.
    let size = 256 << random.below(7);
    let folder = format!("synth{number:03}/d{}", file % 12);
    match file % 40 {
        0 => package.prefix_text(
            format!("share/{folder}/s{file:04}.py"),
            &format!("#!{{PREFIX}}/bin/python\n{}", random.text(size)),
        ),
        1 => package.prefix_binary(
            format!("lib/{folder}_{file:04}.so"),
            random.bytes(size),
            [b"/lib\0", &*random.bytes(size)].concat(),
        ),
        2..5 => package.executable(format!("lib/{folder}_{file:04}.so"), random.bytes(size)),
        5..8 => package.file(format!("share/{folder}/d{file:04}.dat"), random.bytes(size)),
        8 => package.file(format!("include/{folder}/h{file:04}.h"), random.text(size)),
        _ => package.file(
            format!("lib/python3.10/site-packages/{folder}/m{file:04}.py"),
            random.text(size),
        ),
    }
}

/// SplitMix64: the same numbers for the same seed on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("it is below a usize")
    }

    fn bytes(&mut self, size: usize) -> Vec<u8> {
        (0..size / 8).flat_map(|_| self.next().to_le_bytes()).collect()
    }

    /// Lines of an assignment each: they compress, and Python compiles them.
    fn text(&mut self, size: usize) -> String {
        let lines: Vec<_> =
            (0..size / 32).map(|line| format!("value_{line} = {:#018x}", self.next())).collect();
        lines.join("\n")
    }
}
