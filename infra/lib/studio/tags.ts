/** The tag of a profile that says whose it is; the same tag of a principal opens it. */
export const OWNER_TAG = 'studiouserid';

/**
 * The tag of a domain and of all that belongs to it, whose value is the domain's name: on profiles of the file here, on those
 * that are made at the first sign-in by the sign-in. SageMaker hands it on to spaces and applications.
 */
export const DOMAIN_TAG = 'DomainName';

/** MDAA's tag, `<role id>:<session name>`, which is what `aws:userid` holds: kept for policies that were written for it. */
export const SESSION_TAG = 'userid';
