"""How the command line asks and answers: options, texts and documents of each verb."""
