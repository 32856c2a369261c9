/** The stage of the API that lets people into Studio. */
export const ACCESS_STAGE = 'access';
