"""How a step touches the world; the noise of libraries becomes evidence here and nowhere else."""
