"""What leaves the house: workbook, figures and the summary on the screen. Reads tables only."""
