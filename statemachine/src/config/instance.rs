//! Instance types, and what of them decides how a job is asked for.

use super::text::{Invalid, checked_text, quote};

checked_text!(
    /// An instance type, such as `ml.m5.large`.
    InstanceType,
    |text| {
        let parts: Vec<&str> = text.split('.').collect();
        let good = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        match parts.as_slice() {
            ["ml", family, size] if good(family) && good(size) && text.len() <= 64 => Ok(()),
            _ => Err(Invalid(format!(
                "{} is not an instance type: accepted is `ml.<family>.<size>`, such as `ml.m5.large`",
                quote(text)
            ))),
        }
    }
);

impl InstanceType {
    /// Whether it has NVIDIA graphics processors: families `g` and `p`.
    #[must_use]
    pub fn has_gpu(&self) -> bool {
        self.as_str().strip_prefix("ml.").is_some_and(|rest| rest.starts_with(['g', 'p']))
    }

    /// Whether it has NVMe disks of its own, which hardware on the instance encrypts. SageMaker attaches no EBS volume to
    /// such an instance and refuses a key for one (API reference, `ResourceConfig` and `CreateEndpointConfig`).
    ///
    /// Of the families that SageMaker has in November 2026 these are (Amazon EC2 instance types guide):
    /// - with a `d` after the generation: `c5d`, `c6gd`, `g4dn`, `m5d`, `m6gd`, `p3dn`, `p4d`, `p4de`, `r5d`, `r6gd`, `r7gd`;
    /// - `g5`, `g6`, `g6e`, `g7`, `g7e`, and `g` of any later generation;
    /// - `p5`, `p5e`, `p5en`, `p6-b200`, `p6-b300`, `p6e-gb200`, and `p` of any later generation;
    /// - `trn1`, `trn1n`, `trn2`, and `dl1`.
    #[must_use]
    pub fn has_local_storage(&self) -> bool {
        let family = self.as_str().split('.').nth(1).unwrap_or_default();
        // `p6e-gb200` is of the letters `p`, the generation 6 and the attribute `e`.
        let family = family.split('-').next().unwrap_or_default();
        let letters =
            family.trim_end_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(|c: char| c.is_ascii_digit());
        let rest = family.strip_prefix(letters).unwrap_or_default();
        let attributes = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let generation =
            rest.strip_suffix(attributes).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or_default();
        attributes.contains('d') || matches!((letters, generation), ("g" | "gr" | "p", 5..) | ("trn" | "dl", _))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_types_have_a_family_and_a_size() {
        for (text, gpu) in [
            ("ml.m5.large", false),
            ("ml.g5.xlarge", true),
            ("ml.p6-b200.48xlarge", true),
            ("ml.m7i-flex.large", false),
        ] {
            assert_eq!(InstanceType::new(text).unwrap().has_gpu(), gpu, "{text}");
        }
        for text in ["m5.large", "ml.m5", "ml..large", "ml.M5.large", "ml.m5.large.x", "local"] {
            assert!(InstanceType::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn e10_families_with_disks_of_their_own_are_known() {
        // Every family of TrainingInstanceType, ProcessingInstanceType and ProductionVariantInstanceType in SageMaker's
        // service model of November 2026.
        let own = "c5d c6gd dl1 g4dn g5 g6 g6e g7 g7e m5d m6gd p3dn p4d p4de p5 p5e p5en p6-b200 p6-b300 p6e-gb200 r5d r6gd \
                   r7gd trn1 trn1n trn2";
        let ebs = "c4 c5 c5n c6g c6gn c6i c6in c7g c7i c7i-flex c8g c8i c8i-flex inf1 inf2 m4 m5 m6g m6i m7i m7i-flex m8g \
                   m8i m8i-flex p2 p3 r5 r6g r6i r7i r8g r8i r8i-flex t2 t3";
        for (families, expected) in [(own, true), (ebs, false)] {
            for family in families.split_whitespace() {
                let instance = InstanceType::new(format!("ml.{family}.xlarge")).unwrap();
                assert_eq!(instance.has_local_storage(), expected, "{family}");
            }
        }
    }
}
