import { APP_SETTINGS } from './actions';
import { type Conditions, type Statement, butFor, deny } from './statement';

/**
 * Denies apps with an image that is not approved, and defaults that name one.
 *
 * An app that names no image runs AWS's own image for its kind of app, or the default of its profile or domain, which
 * is bound too; it is therefore not denied. An image may also be given by one of its versions, which is a key of its own.
 *
 * @param arns of images (`arn:aws:sagemaker:<region>:<account>:image/<name>`), AWS's own among them; `*` allowed.
 */
export function approvedImages(arns: readonly string[]): Statement[] {
  const versions = arns.map((arn) => `${arn.replace(/:image\//, ':image-version/')}/*`);
  return [
    deny('ApprovedImages', APP_SETTINGS, anyOther('sagemaker:ImageArns', arns)),
    deny('ApprovedImageVersions', APP_SETTINGS, anyOther('sagemaker:ImageVersionArns', versions)),
  ];
}

function anyOther(key: string, arns: readonly string[]): Conditions {
  return { 'ForAnyValue:ArnNotLike': { [key]: arns } };
}

/**
 * Denies to write AppImageConfigs, which set the user, group and mount path of custom images.
 *
 * @param administrators ARNs of roles that may; needed only where the policy binds them too (SCP).
 */
export function appImageConfigs(administrators: readonly string[]): Statement[] {
  return [
    deny(
      'AppImageConfigsAreKept',
      ['CreateAppImageConfig', 'UpdateAppImageConfig', 'DeleteAppImageConfig'],
      administrators.length > 0 ? butFor(administrators) : undefined,
    ),
  ];
}
