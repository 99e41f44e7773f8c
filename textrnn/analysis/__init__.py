"""Analysis of a trained model: its memory and the reasons for its predictions; docs/analysis.md."""
