"""The subset of Noto Sans SC that figures are drawn with, and its licence."""
