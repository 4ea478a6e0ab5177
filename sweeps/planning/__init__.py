"""What a sweep will run and what that will take: plans, designs, objectives, estimates."""
