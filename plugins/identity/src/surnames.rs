//! Family names that stand before a second one, as in Spain and Latin America.

/// Frequent Spanish family names that are seldom given names, folded.
const LIST: &str = " garcia rodriguez martinez hernandez lopez gonzalez gonzales perez sanchez ramirez torres flores \
    rivera gomez diaz reyes morales ortiz gutierrez chavez ramos ruiz alvarez mendoza vasquez vazquez castillo jimenez \
    moreno romero herrera medina aguilar vargas guzman mendez munoz salazar garza soto delgado pena rios alvarado \
    sandoval contreras valdez guerrero ortega estrada nunez maldonado vega castro fernandez espinoza dominguez santos \
    fuentes campos navarro cabrera rosales molina juarez mejia carrillo suarez figueroa padilla velasquez velazquez \
    cervantes lara luna solis acosta pacheco avila serrano salinas robles cardenas trevino cortez duran ochoa \
    zamora calderon barrera villarreal ibarra ayala miranda bautista camacho zuniga rojas cruz ";

pub(crate) fn is_one(folded: &str) -> bool {
    LIST.contains(&format!(" {folded} "))
}
