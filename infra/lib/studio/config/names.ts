/** The longest name of a profile or domain. */
export const LONGEST_NAME = 63;

/**
 * A user's key as SageMaker's UserProfileName, `[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`: every other character becomes a hyphen,
 * and hyphens at the ends go. Not cut: two long keys must not become one name.
 */
export function profileName(key: string): string {
  return key.replace(/[^a-zA-Z0-9]/g, '-').replace(/^-+|-+$/g, '');
}
