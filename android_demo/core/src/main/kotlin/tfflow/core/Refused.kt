package tfflow.core

/** What was given cannot be used. The message is for the person who gave it: what was expected, what came, what to do. */
class Refused(message: String, cause: Throwable? = null) : Exception(message, cause)
