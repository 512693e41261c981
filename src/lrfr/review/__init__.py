"""The verification page: people look at sheets of tiny faces in the browser, and say which are none."""
