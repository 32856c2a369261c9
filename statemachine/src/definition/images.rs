//! The addresses of AWS's own images, which live in a registry account per Region.
//!
//! Accounts of the Deep Learning Containers: <https://aws.github.io/deep-learning-containers/reference/available_images/>
//! and, for GovCloud, the image configuration of the SageMaker Python SDK. Accounts of the scikit-learn image: the same
//! SDK, and <https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html>.

use super::RenderError;
use crate::config::{Image, InstanceType};

/// What an image is wanted for: AutoGluon has one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageUse {
    /// Processing and training jobs.
    Job,
    /// Endpoints.
    Inference,
}

/// Version of the AutoGluon images: the last one with separate images for training and inference.
const AUTOGLUON_CPU: &str = "1.4.0-cpu-py311-ubuntu22.04";
const AUTOGLUON_GPU: &str = "1.4.0-gpu-py311-cu124-ubuntu22.04";
const SKLEARN: &str = "1.2-1-cpu-py3";

/// Region, account of the Deep Learning Containers. In order of the Region's name.
const DEEP_LEARNING: [(&str, &str); 38] = [
    ("af-south-1", "626614931356"),
    ("ap-east-1", "871362719292"),
    ("ap-east-2", "763104351884"),
    ("ap-northeast-1", "763104351884"),
    ("ap-northeast-2", "763104351884"),
    ("ap-northeast-3", "364406365360"),
    ("ap-south-1", "763104351884"),
    ("ap-south-2", "772153158452"),
    ("ap-southeast-1", "763104351884"),
    ("ap-southeast-2", "763104351884"),
    ("ap-southeast-3", "907027046896"),
    ("ap-southeast-4", "457447274322"),
    ("ap-southeast-5", "550225433462"),
    ("ap-southeast-7", "590183813437"),
    ("ca-central-1", "763104351884"),
    ("ca-west-1", "204538143572"),
    ("cn-north-1", "727897471807"),
    ("cn-northwest-1", "727897471807"),
    ("eu-central-1", "763104351884"),
    ("eu-central-2", "380420809688"),
    ("eu-north-1", "763104351884"),
    ("eu-south-1", "692866216735"),
    ("eu-south-2", "503227376785"),
    ("eu-west-1", "763104351884"),
    ("eu-west-2", "763104351884"),
    ("eu-west-3", "763104351884"),
    ("il-central-1", "780543022126"),
    ("me-central-1", "914824155844"),
    ("me-south-1", "217643126080"),
    ("mx-central-1", "637423239942"),
    ("sa-east-1", "763104351884"),
    ("us-east-1", "763104351884"),
    ("us-east-2", "763104351884"),
    ("us-gov-east-1", "446045086412"),
    ("us-gov-west-1", "442386744353"),
    ("us-iso-east-1", "886529160074"),
    ("us-west-1", "763104351884"),
    ("us-west-2", "763104351884"),
];

/// Region, account of the scikit-learn image. In order of the Region's name.
const SCIKIT_LEARN: [(&str, &str); 34] = [
    ("af-south-1", "510948584623"),
    ("ap-east-1", "651117190479"),
    ("ap-northeast-1", "354813040037"),
    ("ap-northeast-2", "366743142698"),
    ("ap-northeast-3", "867004704886"),
    ("ap-south-1", "720646828776"),
    ("ap-south-2", "628508329040"),
    ("ap-southeast-1", "121021644041"),
    ("ap-southeast-2", "783357654285"),
    ("ap-southeast-3", "951798379941"),
    ("ap-southeast-4", "106583098589"),
    ("ca-central-1", "341280168497"),
    ("ca-west-1", "190319476487"),
    ("cn-north-1", "450853457545"),
    ("cn-northwest-1", "451049120500"),
    ("eu-central-1", "492215442770"),
    ("eu-central-2", "680994064768"),
    ("eu-north-1", "662702820516"),
    ("eu-south-1", "978288397137"),
    ("eu-south-2", "104374241257"),
    ("eu-west-1", "141502667606"),
    ("eu-west-2", "764974769150"),
    ("eu-west-3", "659782779980"),
    ("il-central-1", "898809789911"),
    ("me-central-1", "272398656194"),
    ("me-south-1", "801668240914"),
    ("sa-east-1", "737474898029"),
    ("us-east-1", "683313688378"),
    ("us-east-2", "257758044811"),
    ("us-gov-east-1", "237065988967"),
    ("us-gov-west-1", "414596584902"),
    ("us-iso-east-1", "833128469047"),
    ("us-west-1", "746614075791"),
    ("us-west-2", "246618743249"),
];

/// The partition of a Region.
pub(super) fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ if region.starts_with("us-isob-") => "aws-iso-b",
        _ if region.starts_with("us-iso-") => "aws-iso",
        _ => "aws",
    }
}

/// The domain of a Region's registries.
fn domain(region: &str) -> &'static str {
    match partition(region) {
        "aws-cn" => "amazonaws.com.cn",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        _ => "amazonaws.com",
    }
}

/// The address of an image in a Region. `instance` decides between the CPU's and the GPU's image; without one it is
/// the CPU's.
///
/// # Errors
/// The Region has no registry of that image that is known here; the error lists those that have.
pub fn image_uri(
    image: &Image,
    purpose: ImageUse,
    instance: Option<&InstanceType>,
    region: &str,
) -> Result<String, RenderError> {
    let (accounts, repository, tag): (&[(&str, &str)], &str, &str) = match image {
        Image::Uri(uri) => return Ok(uri.as_str().to_owned()),
        Image::Sklearn => (&SCIKIT_LEARN, "sagemaker-scikit-learn", SKLEARN),
        Image::Autogluon => {
            let repository = match purpose {
                ImageUse::Job => "autogluon-training",
                ImageUse::Inference => "autogluon-inference",
            };
            let tag = if instance.is_some_and(InstanceType::has_gpu) { AUTOGLUON_GPU } else { AUTOGLUON_CPU };
            (&DEEP_LEARNING, repository, tag)
        }
    };
    let Some((_, account)) = accounts.iter().find(|(name, _)| *name == region) else {
        return Err(RenderError::UnknownRegion {
            image: image.clone(),
            region: region.to_owned(),
            known: accounts.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        });
    };
    Ok(format!("{account}.dkr.ecr.{region}.{}/{repository}:{tag}", domain(region)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maps_are_sorted_and_hold_account_numbers() {
        for map in [&DEEP_LEARNING[..], &SCIKIT_LEARN[..]] {
            assert!(map.is_sorted_by(|one, next| one.0 < next.0));
            for (region, account) in map {
                assert!(account.len() == 12 && account.chars().all(|c| c.is_ascii_digit()), "{region}: {account}");
            }
        }
    }

    #[test]
    fn images_are_where_aws_keeps_them() {
        let uri = |image: &str, purpose, region| image_uri(&image.parse().unwrap(), purpose, None, region).unwrap();
        assert_eq!(
            uri("autogluon", ImageUse::Job, "us-west-2"),
            "763104351884.dkr.ecr.us-west-2.amazonaws.com/autogluon-training:1.4.0-cpu-py311-ubuntu22.04"
        );
        assert_eq!(
            uri("autogluon", ImageUse::Inference, "eu-central-2"),
            "380420809688.dkr.ecr.eu-central-2.amazonaws.com/autogluon-inference:1.4.0-cpu-py311-ubuntu22.04"
        );
        assert_eq!(
            uri("sklearn", ImageUse::Job, "cn-north-1"),
            "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-scikit-learn:1.2-1-cpu-py3"
        );
        let own = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/model:3";
        assert_eq!(uri(own, ImageUse::Job, "nowhere-1"), own);
    }

    #[test]
    fn a_gpu_instance_gets_the_gpu_image() {
        let gpu = InstanceType::new("ml.g5.xlarge").unwrap();
        assert_eq!(
            image_uri(&Image::Autogluon, ImageUse::Job, Some(&gpu), "us-east-1").unwrap(),
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/autogluon-training:1.4.0-gpu-py311-cu124-ubuntu22.04"
        );
    }

    #[test]
    fn an_unknown_region_is_an_error_that_lists_the_known_ones() {
        let error = image_uri(&Image::Sklearn, ImageUse::Job, None, "mx-central-1").unwrap_err().to_string();
        assert!(
            error.starts_with("image `sklearn` is not known in Region `mx-central-1`: accepted are `af-south-1`, ")
        );
        assert!(error.ends_with("`us-west-2`; or give the image by its address"), "{error}");
    }
}
