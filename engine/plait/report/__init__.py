"""Pictures of a flow and of its runs, each as one HTML file that needs nothing else."""
