"""Who makes the videos: the contract, the catalogue of models, one room per upstream."""
