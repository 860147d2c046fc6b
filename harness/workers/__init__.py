"""Who answers: frameworks in processes of their own, their requests and replies."""
