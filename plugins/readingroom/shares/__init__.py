"""Sharing: one link, one series, nothing more.

What was decided against abuse, in short:

* A link is 256 random bits; only their SHA-256 is kept. The table of links gives nobody a link.
* Unknown, expired, revoked, used up, shut and a wrong passcode get one and the same 404, after the same work: one look
  into the table, and one Argon2id where a passcode was shown (see `admission`). What a refusal leaves in the access log
  is written beside the request (`log`), so that the writing tells nothing either.
* A passcode's try is counted before it is looked at, in one transaction, and forgiven when it was right: a thousand
  tries at once are worth as much as one after another (`attempts`). Delays grow per link and per address; after
  `rules.SHUT_AFTER` failures the link stays shut until whoever made it extends it. Whoever holds the link can bring
  that about: the price is one more mail, not a patient's pictures.
* Previewers of mail and chat programs follow links. They are shown the page, whatever they accept: only a program that
  means it uses up a download.
* The token leaves the address bar with the first visit: the page lives at the link's id, which opens nothing without
  the cookie. Through the gateway the token never stands in a path that Orthanc sees, so not in Orthanc's log either.
* A cookie is asked for its link at each request: revoked is revoked at once, for downloads under way within a second.
"""
