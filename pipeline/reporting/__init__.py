"""The report of a task: one HTML file to hand over.

Start with `page`, then `results` (all artefacts of a task, read once) and templates/report.html. The sections are made by
`data_section`, `results_section` and `embedded_images`; `model_card` and `tripod_ai` fill in the two published checklists.

Must not change: nothing in the report is typed by hand; every figure comes from an artefact.
"""
